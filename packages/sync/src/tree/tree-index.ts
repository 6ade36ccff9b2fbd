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
  readonly content: Buffer;
  readonly size: number;
  /** Its blocks, of which numbers and hashes may be changed. */
  parts(): IndexParts;
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

/** The blocks of an index: numbers in one and texts in others, for to read twenty thousand lines takes five times as long. */
interface IndexParts {
  readonly numbers: Float64Array;
  readonly hashes: Buffer;
  readonly paths: Buffer;
}

/** What was known the last time; nothing when that cannot be read, for it is only a shortcut. */
export async function loadIndex(path: string): Promise<StoredIndex | undefined> {
  const content = await readFile(path).catch((error: unknown) => {
    if (isMissing(error)) return Buffer.alloc(0);
    throw storageError(path, error);
  });
  return parseIndex(content);
}

function parseIndex(content: Buffer): StoredIndex | undefined {
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
    content,
    size,
    paths,
    parts: () => ({
      numbers: numbers.slice(),
      hashes: Buffer.from(content.subarray(hashesAt, markAt)),
      paths: content.subarray(pathsAt),
    }),
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
  save(path: string, mark: IndexMark | undefined): Promise<void>;
}

export function createKnownFiles(stored: StoredIndex | undefined): KnownFiles {
  let map: TreeIndex | undefined;
  // What was written last, and the files that it is of: most of them are the same the next time.
  let written = stored?.content;
  let rows: readonly IndexedFile[] = [];
  const files = (): TreeIndex => {
    if (map !== undefined) return map;
    map = stored?.toMap() ?? new Map();
    rows = Array.from(map.values());
    return map;
  };
  return {
    get stored() {
      return map === undefined ? stored : undefined;
    },
    files,
    async save(path, mark) {
      const index = files();
      const content = (written && patchIndex(written, { index, rows, mark })) ?? encodeIndex(index, mark);
      await writeFileAtomic(path, content, { fsync: false }).catch((error: unknown) => {
        throw storageError(path, error);
      });
      written = content;
      rows = Array.from(index.values());
    },
  };
}

function encodeIndex(index: TreeIndex, mark: IndexMark | undefined): Buffer {
  const now = Date.now();
  const numbers = new Float64Array(index.size * columns);
  const hashes: string[] = [];
  let paths = '';
  let row = 0;
  for (const [path, file] of index) {
    setRow(numbers, row, { file, now });
    row += 1;
    hashes.push(file.hash);
    paths += `${path}\n`;
  }
  const parts = { numbers, hashes: Buffer.from(hashes.join(''), 'latin1'), paths: Buffer.from(paths) };
  return joinIndex(parts, mark);
}

/** What was written, with the rows of files that are not the same; `undefined` when there are other files. */
function patchIndex(
  written: Buffer,
  options: {
    readonly index: TreeIndex;
    readonly rows: readonly IndexedFile[];
    readonly mark: IndexMark | undefined;
  },
): Buffer | undefined {
  const { index, rows, mark } = options;
  const stored = parseIndex(written);
  if (stored === undefined || index.size !== rows.length || stored.size !== rows.length) return undefined;
  const now = Date.now();
  const { numbers, hashes, paths } = stored.parts();
  const names = stored.paths();
  let row = 0;
  for (const [path, file] of index) {
    if (names[row] !== path) return undefined;
    if (rows[row] !== file) {
      setRow(numbers, row, { file, now });
      hashes.write(file.hash, row * 64, 'latin1');
    }
    row += 1;
  }
  return joinIndex({ numbers, hashes, paths }, mark);
}

function setRow(
  numbers: Float64Array,
  row: number,
  { file, now }: { readonly file: IndexedFile; readonly now: number },
): void {
  const at = row * columns;
  numbers[at] = file.mode & 0o100;
  numbers[at + 1] = file.size;
  // A file that changed just now may change again without a difference in its stat: it is read again next time.
  numbers[at + 2] = isSettled(file, now) ? file.mtimeMs : Number.NaN;
  numbers[at + 3] = file.ctimeMs;
  numbers[at + 4] = file.inode;
}

function joinIndex({ numbers, hashes, paths }: IndexParts, mark: IndexMark | undefined): Buffer {
  const said = Buffer.from(mark === undefined ? '' : JSON.stringify(mark));
  const header = Buffer.alloc(headerBytes);
  header.write(heading, 'latin1');
  header.writeUInt32LE(numbers.length / columns, 16);
  header.writeUInt32LE(said.length, 20);
  header.writeUInt32LE(paths.length, 24);
  const bytes = Buffer.from(numbers.buffer, numbers.byteOffset, numbers.byteLength);
  return Buffer.concat([header, bytes, hashes, said, paths]);
}

/** Whether a change after `now` gives the file another time. Whole seconds come from file systems that know no less. */
export function isSettled({ mtimeMs, ctimeMs }: Pick<IndexedFile, 'mtimeMs' | 'ctimeMs'>, now: number): boolean {
  const changedMs = Math.max(mtimeMs, ctimeMs);
  return now - changedMs > (changedMs % 1000 === 0 ? 2100 : 30);
}
