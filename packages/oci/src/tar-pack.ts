import { type BigIntStats, closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { OciError } from './error.ts';
import { isSameFile } from './file-identity.ts';
import type { LayerEntry } from './layer-entry.ts';
import { tarBlock, tarHeader } from './tar-header.ts';

type FileEntry = Extract<LayerEntry, { type: 'file' }>;

/** Every piece of a tar stream but the last has this length. Pieces are compressed one by one, so it decides about the bytes of a layer. */
export const tarPieceSize = 1024 * 1024;

/** How {@link packTar} works. */
export interface PackTarOptions {
  /** Gives the memory for the next piece: `tarPieceSize` bytes that nobody uses any more. */
  readonly take: () => Buffer;
  readonly signal?: AbortSignal | undefined;
}

interface Cursor {
  readonly take: () => Buffer;
  readonly signal: AbortSignal | undefined;
  piece: Buffer;
  used: number;
}

/**
 * The entries as a tar stream, in the given order. Reads synchronously, a piece at a time: a tree has thousands of small
 * files, and trips to the thread pool cost more than each read; the pool is busy compressing the pieces before.
 */
export function* packTar(entries: Iterable<LayerEntry>, { take, signal }: PackTarOptions): Generator<Buffer> {
  const cursor: Cursor = { take, signal, piece: take(), used: 0 };
  for (const entry of entries) {
    signal?.throwIfAborted();
    if (entry.type === 'file') {
      yield* packFile(entry, cursor);
    } else if (entry.type === 'bytes') {
      const size = entry.content.byteLength;
      yield* put(header(entry, size), cursor);
      yield* put(entry.content, cursor);
      yield* pad(size, cursor);
    } else {
      yield* put(header(entry, 0), cursor);
    }
  }
  yield* put(Buffer.alloc(2 * tarBlock), cursor);
  if (cursor.used > 0) yield cursor.piece.subarray(0, cursor.used);
}

function* put(bytes: Uint8Array, cursor: Cursor): Generator<Buffer> {
  for (let done = 0; done < bytes.byteLength; ) {
    const part = bytes.subarray(done, done + cursor.piece.length - cursor.used);
    cursor.piece.set(part, cursor.used);
    done += part.byteLength;
    yield* advance(part.byteLength, cursor);
  }
}

/** Zeros up to the next block; they never cross the end of a piece, which is one of a block too. */
function* pad(size: number, cursor: Cursor): Generator<Buffer> {
  const length = (tarBlock - (size % tarBlock)) % tarBlock;
  if (length === 0) return;
  cursor.piece.fill(0, cursor.used, cursor.used + length);
  yield* advance(length, cursor);
}

function* advance(count: number, cursor: Cursor): Generator<Buffer> {
  cursor.used += count;
  if (cursor.used < cursor.piece.length) return;
  const full = cursor.piece;
  yield full;
  cursor.signal?.throwIfAborted();
  cursor.piece = cursor.take();
  cursor.used = 0;
}

function* packFile(entry: FileEntry, cursor: Cursor): Generator<Buffer> {
  const { source } = entry;
  const file = openSource(entry);
  const { descriptor, size } = file;
  try {
    const head = header(entry, size);
    if (head.byteLength + size + tarBlock < cursor.piece.length - cursor.used) {
      packSmall(source, file, head, cursor);
    } else {
      yield* put(head, cursor);
      yield* packLarge(source, file, cursor);
      yield* pad(size, cursor);
    }
  } finally {
    closeSync(descriptor);
  }
}

/** A file that ends within the piece. Thousands are packed here, so it does without generators. */
function packSmall(source: string, { descriptor, size }: OpenSource, head: Buffer, cursor: Cursor): void {
  const { piece } = cursor;
  piece.set(head, cursor.used);
  cursor.used += head.byteLength;
  // One byte more than expected tells a file that grew.
  if (readFully(source, descriptor, { into: cursor, length: size + 1, position: 0 }) !== size) throw changed(source);
  cursor.used += size;
  const padding = (tarBlock - (size % tarBlock)) % tarBlock;
  piece.fill(0, cursor.used, cursor.used + padding);
  cursor.used += padding;
}

function* packLarge(source: string, file: OpenSource, cursor: Cursor): Generator<Buffer> {
  const { descriptor, size, info } = file;
  for (let position = 0; position < size; ) {
    const length = Math.min(cursor.piece.length - cursor.used, size - position);
    if (readFully(source, descriptor, { into: cursor, length, position }) !== length) throw changed(source);
    position += length;
    yield* advance(length, cursor);
  }
  // While a small file is read in one step, a large one may have been written to between two pieces.
  const { size: sizeAfter, mtimeNs, ctimeNs } = fstatSync(descriptor, { bigint: true });
  const isSame = sizeAfter === info.size && mtimeNs === info.mtimeNs && ctimeNs === info.ctimeNs;
  if (!isSame) throw changed(source);
}

interface OpenSource {
  readonly descriptor: number;
  readonly size: number;
  readonly info: BigIntStats;
}

/** Opened first and examined after, so that what was examined is what is read. A FIFO must not block, hence O_NONBLOCK. */
function openSource({ source, identity }: FileEntry): OpenSource {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(source, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    const info = fstatSync(descriptor, { bigint: true });
    if (identity !== undefined && !isSameFile(identity, info)) throw changed(source, 'another file took its place');
    if (!info.isFile()) throw unreadable(source, 'not a regular file');
    return { descriptor, size: Number(info.size), info };
  } catch (error) {
    if (descriptor !== undefined) closeSync(descriptor);
    throw unreadable(source, error);
  }
}

/** Reads into the piece until there is enough or the file ends; gives the number of bytes. */
function readFully(
  source: string,
  descriptor: number,
  { into, length, position }: { readonly into: Cursor; readonly length: number; readonly position: number },
): number {
  let done = 0;
  try {
    for (let count = -1; count !== 0 && done < length; done += count) {
      count = readSync(descriptor, into.piece, into.used + done, length - done, position + done);
    }
  } catch (error) {
    throw unreadable(source, error);
  }
  return done;
}

function header(entry: LayerEntry, size: number): Buffer {
  const { uid = 0, gid = 0 } = entry;
  if (entry.type === 'directory') {
    const { path, mode = 0o755 } = entry;
    return tarHeader({ typeflag: '5', path: `${path}/`, mode, uid, gid, size, target: '' });
  }
  if (entry.type === 'symlink') {
    return tarHeader({ typeflag: '2', path: entry.path, mode: 0o777, uid, gid, size, target: entry.target });
  }
  return tarHeader({ typeflag: '0', path: entry.path, mode: entry.mode ?? 0o644, uid, gid, size, target: '' });
}

function changed(source: string, how = 'it changed while it was read'): OciError {
  return new OciError('SP_OCI_FILE_CHANGED', `Cannot pack ${source}: ${how}`, {
    path: source,
    retryable: true,
  });
}

function unreadable(source: string, error: unknown): OciError {
  if (error instanceof OciError) return error;
  const why = typeof error === 'string' ? error : ((error as NodeJS.ErrnoException).code ?? 'unknown error');
  const cause = typeof error === 'string' ? undefined : error;
  return new OciError('SP_OCI_SOURCE', `Cannot read ${source}: ${why}`, { path: source, cause });
}
