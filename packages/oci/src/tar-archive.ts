import { type FileHandle, open } from 'node:fs/promises';
import { OciError } from './error.ts';
import { readFileStream } from './file-read.ts';
import { isMissing, storageError } from './file-write.ts';
import { tarBlock } from './tar-header.ts';
import { createTarRecordReader, paddedSize, type TarRecord } from './tar-read.ts';
import { malformed } from './wire.ts';

/** A tar file on disk, read where its entries are instead of from its beginning. */
export interface TarArchive {
  /** The content of a file in it; `undefined` when there is none. Links inside the archive are followed. */
  find(path: string): { readonly size: number; read(): Promise<ReadableStream<Uint8Array>> } | undefined;
}

const maximumEntries = 100_000;

/** @throws {@link OciError} `SP_OCI_NOT_FOUND`, `SP_OCI_DOCUMENT`, `SP_OCI_STORAGE` */
export async function openTarArchive(path: string, signal?: AbortSignal): Promise<TarArchive> {
  const entries = await withFile(path, (handle, size) => indexEntries(handle, { path, size, signal }));
  return {
    find(name) {
      let entry = entries.get(normal(name));
      // Old engines write a layer that occurs twice as a link; a chain of links ends somewhere or goes in circles.
      for (let links = 0; entry !== undefined && /^[12]$/.test(entry.typeflag) && links < 8; links += 1) {
        const from = entry.typeflag === '2' ? entry.path.split('/').slice(0, -1).join('/') : '';
        entry = entries.get(normal(`${from}/${entry.target}`));
      }
      if (entry === undefined || !/^[07]$/.test(entry.typeflag)) return undefined;
      const { size, start } = entry;
      return { size, read: () => readFileStream(path, { start, end: start + size }) };
    },
  };
}

type Located = TarRecord & { readonly start: number };

async function indexEntries(
  handle: FileHandle,
  { path, size, signal }: { readonly path: string; readonly size: number; readonly signal: AbortSignal | undefined },
): Promise<ReadonlyMap<string, Located>> {
  const entries = new Map<string, Located>();
  const reader = createTarRecordReader(path);
  for (let position = 0; position < size; ) {
    signal?.throwIfAborted();
    const record = reader.read(await readAt(handle, { path, position, length: tarBlock }));
    if (record === undefined) break;
    const start = position + tarBlock;
    position = start + paddedSize(record.size);
    if (start + record.size > size) throw malformed(path, 'it ends in the middle');
    if (record.isExtension) reader.extend(record, await readAt(handle, { path, position: start, length: record.size }));
    else entries.set(normal(record.path), { ...record, start });
    if (entries.size > maximumEntries) throw malformed(path, `it has more than ${maximumEntries} entries`);
  }
  return entries;
}

/** The same name for the same place: no `.`, no `..` that goes anywhere. */
function normal(path: string): string {
  const segments: string[] = [];
  for (const segment of path.split('/')) {
    if (segment === '..') segments.pop();
    else if (segment !== '' && segment !== '.') segments.push(segment);
  }
  return segments.join('/');
}

async function readAt(
  handle: FileHandle,
  { path, position, length }: { readonly path: string; readonly position: number; readonly length: number },
): Promise<Buffer> {
  const { bytesRead, buffer } = await handle.read(Buffer.alloc(length), 0, length, position);
  if (bytesRead !== length) throw malformed(path, 'it ends in the middle');
  return buffer;
}

async function withFile<T>(path: string, work: (handle: FileHandle, size: number) => Promise<T>): Promise<T> {
  const handle = await open(path, 'r').catch((error: unknown) => {
    if (isMissing(error)) throw new OciError('SP_OCI_NOT_FOUND', `No file ${path}`, { path });
    throw storageError(path, error);
  });
  try {
    return await work(handle, (await handle.stat()).size);
  } finally {
    await handle.close();
  }
}
