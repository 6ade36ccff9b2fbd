import { type FileHandle, open } from 'node:fs/promises';
import type { ByteRange } from './blob-store.ts';

const chunkSize = 256 * 1024;

/**
 * A file as a web stream that reads only when asked. `Readable.toWeb` is not used: on Node 20 it counts its
 * high water mark in chunks, and a slow reader of a large file would hold thousands of them.
 */
export async function readFileStream(path: string, range?: ByteRange): Promise<ReadableStream<Uint8Array>> {
  const handle = await open(path, 'r');
  let position = range?.start ?? 0;
  const end = range?.end ?? Number.POSITIVE_INFINITY;
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const bytes = await readChunk(handle, position, end).catch(async (error: unknown) => {
          await handle.close();
          throw error;
        });
        if (bytes.byteLength === 0) {
          await handle.close();
          controller.close();
          return;
        }
        position += bytes.byteLength;
        controller.enqueue(bytes);
      },
      cancel: () => handle.close(),
    },
    { highWaterMark: 0 },
  );
}

async function readChunk(handle: FileHandle, position: number, end: number): Promise<Uint8Array> {
  const length = Math.min(chunkSize, end - position);
  if (length <= 0) return new Uint8Array(0);
  const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafe(length), 0, length, position);
  return buffer.subarray(0, bytesRead);
}

/** Everything that a stream gives, at most `limit` bytes; `undefined` when there is more. */
export async function readAll(source: AsyncIterable<Uint8Array>, limit: number): Promise<Uint8Array | undefined> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of source) {
    size += chunk.byteLength;
    if (size > limit) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
