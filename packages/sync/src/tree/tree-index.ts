import { readFile } from 'node:fs/promises';
import writeFileAtomic from 'write-file-atomic';
import type { FileFacts } from '../file-facts.ts';
import { isMissing, storageError } from '../sync-error.ts';

/** A file's facts, and the stat by which it is known again without being read. */
export interface IndexedFile extends FileFacts {
  readonly mtimeMs: number;
  readonly ctimeMs: number;
  readonly inode: number;
}

export type TreeIndex = Map<string, IndexedFile>;

const heading = 'sp-sync-index 1';

/** What was known the last time; nothing when that cannot be read, for it is only a shortcut. */
export async function loadIndex(path: string): Promise<TreeIndex> {
  const index: TreeIndex = new Map();
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    if (isMissing(error)) return '';
    throw storageError(path, error);
  });
  if (!text.startsWith(`${heading}\n`) || !text.endsWith('\n')) return index;
  let at = heading.length + 1;
  while (at < text.length) {
    const end = text.indexOf('\n', at);
    const [hash = '', mode, size, mtimeMs, ctimeMs, inode, ...rest] = text.slice(at, end).split(' ');
    const facts = { hash, mode: Number(mode), size: Number(size) };
    index.set(rest.join(' '), { ...facts, mtimeMs: Number(mtimeMs), ctimeMs: Number(ctimeMs), inode: Number(inode) });
    at = end + 1;
  }
  return index;
}

export async function saveIndex(path: string, index: ReadonlyMap<string, IndexedFile>): Promise<void> {
  const now = Date.now();
  const lines = [heading];
  for (const [file, { hash, mode, size, mtimeMs, ctimeMs, inode }] of index) {
    // A file that changed just now may change again without a difference in its stat: it is read again next time.
    if (isSettled(Math.max(mtimeMs, ctimeMs), now)) {
      lines.push(`${hash} ${mode} ${size} ${mtimeMs} ${ctimeMs} ${inode} ${file}`);
    }
  }
  lines.push('');
  await writeFileAtomic(path, lines.join('\n'), { fsync: false }).catch((error: unknown) => {
    throw storageError(path, error);
  });
}

/** Whether a change after `now` gives the file another time. Whole seconds come from file systems that know no less. */
function isSettled(changedMs: number, now: number): boolean {
  return now - changedMs > (changedMs % 1000 === 0 ? 2100 : 30);
}
