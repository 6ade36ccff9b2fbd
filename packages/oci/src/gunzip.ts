import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { malformed } from './wire.ts';

/** @param what names the content in errors @throws {@link OciError} `SP_OCI_DOCUMENT` when it is not valid gzip */
export async function* gunzipped(content: AsyncIterable<Uint8Array>, what: string): AsyncGenerator<Uint8Array> {
  const gunzip = createGunzip({ chunkSize: 128 * 1024 });
  const unpacking = pipeline(Readable.from(content, { objectMode: false }), gunzip);
  // Thrown from the loop, and only once.
  unpacking.catch(() => {});
  try {
    yield* gunzip as AsyncIterable<Buffer>;
  } catch (error) {
    if (!String((error as NodeJS.ErrnoException).code).startsWith('Z_')) throw error;
    throw malformed(what, 'it is not valid gzip');
  } finally {
    gunzip.destroy();
  }
  await unpacking;
}
