import { closeSync, constants, fstatSync, openSync, read, readSync } from 'node:fs';
import { OciError } from './error.ts';
import type { LayerEntry } from './layer-entry.ts';
import { tarBlock, tarHeader, tarPadding } from './tar-header.ts';

type FileEntry = Extract<LayerEntry, { type: 'file' }>;

const chunkSize = 256 * 1024;

/** The entries as a tar stream, in the given order, in pieces of about 256 KiB. A large file never sits in memory. */
export async function* packTar(entries: Iterable<LayerEntry>, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
  let pending: Uint8Array[] = [];
  let size = 0;
  for (const entry of entries) {
    signal?.throwIfAborted();
    for await (const piece of packEntry(entry)) {
      pending.push(piece);
      size += piece.byteLength;
      if (size < chunkSize) continue;
      yield pending.length === 1 ? piece : Buffer.concat(pending);
      pending = [];
      size = 0;
    }
  }
  pending.push(Buffer.alloc(2 * tarBlock));
  yield Buffer.concat(pending);
}

async function* packEntry(entry: LayerEntry): AsyncGenerator<Uint8Array> {
  if (entry.type === 'file') {
    yield* packFile(entry);
  } else if (entry.type === 'bytes') {
    yield header(entry, entry.content.byteLength);
    yield* [entry.content, tarPadding(entry.content.byteLength)];
  } else {
    yield header(entry, 0);
  }
}

async function* packFile(entry: FileEntry): AsyncGenerator<Uint8Array> {
  const { descriptor, size } = openSource(entry.source);
  try {
    yield header(entry, size);
    if (size < chunkSize) yield readSmall(entry.source, descriptor, size);
    else yield* readLarge(entry.source, descriptor, size);
    yield tarPadding(size);
  } finally {
    closeSync(descriptor);
  }
}

/** Opened first and examined after, so that what was examined is what is read. A FIFO must not block, hence O_NONBLOCK. */
function openSource(source: string): { descriptor: number; size: number } {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(source, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    const info = fstatSync(descriptor);
    if (!info.isFile()) throw unreadable(source, 'not a regular file');
    return { descriptor, size: info.size };
  } catch (error) {
    if (descriptor !== undefined) closeSync(descriptor);
    throw unreadable(source, error);
  }
}

/** Synchronous on purpose: a tree has thousands of small files, and four trips to the thread pool cost more than each read. */
function readSmall(source: string, descriptor: number, size: number): Uint8Array {
  // One byte more than expected tells a file that grew.
  const buffer = Buffer.allocUnsafe(size + 1);
  let length = 0;
  try {
    for (let count = -1; count !== 0 && length <= size; length += count) {
      count = readSync(descriptor, buffer, length, size + 1 - length, length);
    }
  } catch (error) {
    throw unreadable(source, error);
  }
  if (length !== size) throw changed(source);
  return buffer.subarray(0, size);
}

/** Reads one chunk ahead, so that the disk works while the chunk before is hashed and compressed. */
async function* readLarge(source: string, descriptor: number, size: number): AsyncGenerator<Uint8Array> {
  let position = 0;
  let ahead = readAt(descriptor, position);
  try {
    for (;;) {
      const chunk = await ahead;
      position += chunk.byteLength;
      if (position > size) throw changed(source);
      if (chunk.byteLength === 0) break;
      ahead = readAt(descriptor, position);
      yield chunk;
    }
  } catch (error) {
    throw unreadable(source, error);
  } finally {
    // The descriptor is closed next: no read may be under way then.
    await ahead.catch(() => {});
  }
  if (position !== size) throw changed(source);
}

function readAt(descriptor: number, position: number): Promise<Uint8Array> {
  const length = chunkSize * 2;
  return new Promise((resolve, reject) => {
    read(descriptor, Buffer.allocUnsafe(length), 0, length, position, (error, bytesRead, buffer) => {
      if (error === null) resolve(buffer.subarray(0, bytesRead));
      else reject(error);
    });
  });
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

function changed(source: string): OciError {
  return new OciError('SP_OCI_FILE_CHANGED', `Cannot pack ${source}: its size changed while it was read`, {
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
