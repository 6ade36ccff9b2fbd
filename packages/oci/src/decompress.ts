import { Readable, type Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { malformed } from './wire.ts';
import { createUnzstd } from './zstd.ts';

/**
 * Decompressed content.
 *
 * @param what names the content in errors
 * @throws {@link OciError} `SP_OCI_DOCUMENT` when it is not valid, `SP_OCI_MEDIA_TYPE` when this Node has no zstd
 */
export async function* decompressed(
  content: AsyncIterable<Uint8Array>,
  { format, what }: { readonly format: 'gzip' | 'zstd'; readonly what: string },
): AsyncGenerator<Uint8Array> {
  const transform: Transform = format === 'gzip' ? createGunzip({ chunkSize: 128 * 1024 }) : createUnzstd();
  const unpacking = pipeline(Readable.from(content, { objectMode: false }), transform);
  // Thrown from the loop, and only once.
  unpacking.catch(() => {});
  try {
    yield* transform as AsyncIterable<Buffer>;
  } catch (error) {
    // zlib's codes begin with `Z_`, those of zstd with `ZSTD_`.
    if (!/^Z(?:STD)?_/.test(String((error as NodeJS.ErrnoException).code))) throw error;
    throw malformed(what, `it is not valid ${format}`);
  } finally {
    transform.destroy();
  }
  await unpacking;
}
