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

/** Says of an index what both sides agreed on when it was written: these files, but for those that differ. */
export interface IndexMark {
  /** Hash of the tree that was agreed on. */
  readonly tree: string;
  /** What was ignored then. */
  readonly ignored: string;
  /** What was agreed on otherwise: `null` is no file. */
  readonly differs: readonly (readonly [string, FileFacts | null])[];
}

/** An index as it is on disk. */
export interface StoredIndex {
  readonly size: number;
  /** Goes along the rows, in the order in which they were found: the row of a name when it is the next one's. */
  walk(): (folder: string, name: string) => number | undefined;
  paths(): readonly string[];
  /** Whether the file of a row is as it was, by its stat. */
  isSame(row: number, stats: StatNumbers): boolean;
  /** All of it in memory: for a tree in which nothing changed nobody asks for that. */
  toMap(): TreeIndex;
  readonly mark: IndexMark | undefined;
}

/** The part of a stat by which a file is known again. */
export interface StatNumbers {
  readonly size: number;
  readonly mode: number;
  readonly mtimeMs: number;
  readonly ctimeMs: number;
  readonly ino: number;
}

const heading = 'sp-sync-index 4';
const headerBytes = 32;
const columns = 5;

/**
 * What was known the last time; nothing when that cannot be read, for it is only a shortcut. Numbers are in one block and
 * texts in another: to read twenty thousand lines takes five times as long.
 */
export async function loadIndex(path: string): Promise<StoredIndex | undefined> {
  const content = await readFile(path).catch((error: unknown) => {
    if (isMissing(error)) return Buffer.alloc(0);
    throw storageError(path, error);
  });
  if (content.length < headerBytes || content.toString('latin1', 0, heading.length) !== heading) return undefined;
  const size = content.readUInt32LE(16);
  const markBytes = content.readUInt32LE(20);
  const hashesAt = headerBytes + size * columns * 8;
  const markAt = hashesAt + size * 64;
  const pathsAt = markAt + markBytes;
  if (content.length < pathsAt) return undefined;
  const numbers = new Float64Array(size * columns);
  content.copy(Buffer.from(numbers.buffer), 0, headerBytes, hashesAt);
  const text = content.toString('utf8', pathsAt);
  let split: readonly string[] | undefined;
  const paths = (): readonly string[] => (split ??= text.split('\n').slice(0, -1));
  if (content.length !== pathsAt + content.readUInt32LE(24) || (size > 0 && !text.endsWith('\n'))) return undefined;
  return {
    size,
    paths,
    walk() {
      let at = 0;
      let row = 0;
      return (folder, name) => {
        const nameAt = folder === '' ? at : at + folder.length + 1;
        const end = nameAt + name.length;
        // Compared where it is: to make a text of every path takes as long as to look at the files.
        const isNext = text.charCodeAt(end) === 10 && text.startsWith(name, nameAt) && text.startsWith(folder, at);
        if (!isNext || (folder !== '' && text.charCodeAt(nameAt - 1) !== 47) || name.includes('\n')) return undefined;
        at = end + 1;
        row += 1;
        return row - 1;
      };
    },
    mark: readMark(content.toString('utf8', markAt, pathsAt)),
    isSame(row, stats) {
      const at = row * columns;
      return (
        numbers[at + 2] === stats.mtimeMs &&
        numbers[at + 3] === stats.ctimeMs &&
        numbers[at + 1] === stats.size &&
        numbers[at + 4] === stats.ino &&
        numbers[at] === (stats.mode & 0o100)
      );
    },
    toMap() {
      const index: TreeIndex = new Map();
      const hashes = content.toString('latin1', hashesAt, markAt);
      for (const [row, path] of paths().entries()) {
        const at = row * columns;
        index.set(path, {
          hash: hashes.slice(row * 64, row * 64 + 64),
          mode: numbers[at] === 0 ? 0o644 : 0o755,
          size: numbers[at + 1] ?? 0,
          mtimeMs: numbers[at + 2] ?? 0,
          ctimeMs: numbers[at + 3] ?? 0,
          inode: numbers[at + 4] ?? 0,
        });
      }
      return index;
    },
  };
}

function readMark(text: string): IndexMark | undefined {
  try {
    return text === '' ? undefined : (JSON.parse(text) as IndexMark);
  } catch {
    return undefined;
  }
}

/** What is known of a tree, in memory as far as it is needed there. */
export interface KnownFiles {
  /** As it was read, as long as nobody asked for the map: nothing of it changed then. */
  readonly stored: StoredIndex | undefined;
  /** All of it, which may be changed. */
  files(): TreeIndex;
}

export function createKnownFiles(stored: StoredIndex | undefined, made?: TreeIndex): KnownFiles {
  let map = made;
  return {
    get stored() {
      return map === undefined ? stored : undefined;
    },
    files: () => (map ??= stored?.toMap() ?? new Map()),
  };
}

export async function saveIndex(path: string, index: TreeIndex, mark?: IndexMark): Promise<void> {
  const now = Date.now();
  const header = Buffer.alloc(headerBytes);
  const said = mark === undefined ? '' : JSON.stringify(mark);
  header.write(heading, 'latin1');
  header.writeUInt32LE(index.size, 16);
  header.writeUInt32LE(Buffer.byteLength(said), 20);
  const numbers = new Float64Array(index.size * columns);
  const hashes: string[] = [];
  let paths = '';
  let at = 0;
  for (const [file, { hash, mode, size, mtimeMs, ctimeMs, inode }] of index) {
    numbers[at] = mode & 0o100;
    numbers[at + 1] = size;
    // A file that changed just now may change again without a difference in its stat: it is read again next time.
    numbers[at + 2] = isSettled({ mtimeMs, ctimeMs }, now) ? mtimeMs : Number.NaN;
    numbers[at + 3] = ctimeMs;
    numbers[at + 4] = inode;
    at += columns;
    hashes.push(hash);
    paths += `${file}\n`;
  }
  const texts = [Buffer.from(`${hashes.join('')}${said}`), Buffer.from(paths)] as const;
  header.writeUInt32LE(texts[1].length, 24);
  const content = Buffer.concat([header, Buffer.from(numbers.buffer), ...texts]);
  await writeFileAtomic(path, content, { fsync: false }).catch((error: unknown) => {
    throw storageError(path, error);
  });
}

/** Whether a change after `now` gives the file another time. Whole seconds come from file systems that know no less. */
export function isSettled({ mtimeMs, ctimeMs }: Pick<IndexedFile, 'mtimeMs' | 'ctimeMs'>, now: number): boolean {
  const changedMs = Math.max(mtimeMs, ctimeMs);
  return now - changedMs > (changedMs % 1000 === 0 ? 2100 : 30);
}
