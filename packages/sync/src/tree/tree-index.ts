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

const heading = 'sp-sync-index 3';
const columns = 5;

/**
 * What was known the last time; nothing when that cannot be read, for it is only a shortcut. Numbers are in one block and
 * texts in another: to read twenty thousand lines takes five times as long.
 */
export async function loadIndex(path: string): Promise<TreeIndex> {
  const content = await readFile(path).catch((error: unknown) => {
    if (isMissing(error)) return Buffer.alloc(0);
    throw storageError(path, error);
  });
  const index: TreeIndex = new Map();
  const count = content.length < 32 ? 0 : content.readUInt32LE(16);
  const textStart = 32 + count * columns * 8;
  if (content.toString('latin1', 0, heading.length) !== heading || content.length < textStart) return index;
  const numbers = new Float64Array(count * columns);
  content.copy(Buffer.from(numbers.buffer), 0, 32, textStart);
  const hashes = content.toString('latin1', textStart, textStart + count * 64);
  const paths = content.toString('utf8', textStart + count * 64).split('\n');
  // The last path ends in a line break too: a file that was cut is seen.
  if (paths.length !== count + 1 || paths[count] !== '') return index;
  for (let row = 0; row < count; row += 1) {
    const at = row * columns;
    index.set(paths[row] ?? '', {
      hash: hashes.slice(row * 64, row * 64 + 64),
      mode: numbers[at] === 1 ? 0o755 : 0o644,
      size: numbers[at + 1] ?? 0,
      mtimeMs: numbers[at + 2] ?? 0,
      ctimeMs: numbers[at + 3] ?? 0,
      inode: numbers[at + 4] ?? 0,
    });
  }
  return index;
}

export async function saveIndex(path: string, index: ReadonlyMap<string, IndexedFile>): Promise<void> {
  const now = Date.now();
  // A file that changed just now may change again without a difference in its stat: it is read again next time.
  const settled = Array.from(index).filter(([, { mtimeMs, ctimeMs }]) => isSettled(Math.max(mtimeMs, ctimeMs), now));
  const header = Buffer.alloc(32);
  header.write(heading, 'latin1');
  header.writeUInt32LE(settled.length, 16);
  const numbers = new Float64Array(settled.length * columns);
  let hashes = '';
  let paths = '';
  for (const [row, [file, { hash, mode, size, mtimeMs, ctimeMs, inode }]] of settled.entries()) {
    numbers.set([mode === 0o755 ? 1 : 0, size, mtimeMs, ctimeMs, inode], row * columns);
    hashes += hash;
    paths += `${file}\n`;
  }
  const content = Buffer.concat([
    header,
    Buffer.from(numbers.buffer),
    Buffer.from(hashes, 'latin1'),
    Buffer.from(paths),
  ]);
  await writeFileAtomic(path, content, { fsync: false }).catch((error: unknown) => {
    throw storageError(path, error);
  });
}

/** Whether a change after `now` gives the file another time. Whole seconds come from file systems that know no less. */
function isSettled(changedMs: number, now: number): boolean {
  return now - changedMs > (changedMs % 1000 === 0 ? 2100 : 30);
}
