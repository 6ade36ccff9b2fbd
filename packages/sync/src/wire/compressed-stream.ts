import { pipeline, Readable } from 'node:stream';
import { brotliCompressSync, constants, createBrotliDecompress, createGunzip, createGzip } from 'node:zlib';

const chunkSize = 256 * 1024;

/** What is in memory, compressed at a level that is worth its time. */
export function compressedWell(content: Uint8Array): Buffer {
  return brotliCompressSync(content, {
    params: { ...params(4), [constants.BROTLI_PARAM_SIZE_HINT]: content.byteLength },
  });
}

export function decompressed(source: AsyncIterable<Uint8Array>): Readable {
  return through(source, createBrotliDecompress({ chunkSize }));
}

/** A tarball as the predecessor compresses it. */
export function gzipped(source: AsyncIterable<Uint8Array>): Readable {
  return through(source, createGzip({ chunkSize }));
}

export function gunzipped(source: AsyncIterable<Uint8Array>): Readable {
  return through(source, createGunzip({ chunkSize }));
}

function params(quality: number): Record<number, number> {
  return { [constants.BROTLI_PARAM_QUALITY]: quality, [constants.BROTLI_PARAM_LGWIN]: 22 };
}

/** What fails in the source fails here. Not `compose`: it leaves an error that nobody reads any more to the process. */
function through(source: AsyncIterable<Uint8Array>, codec: NodeJS.ReadWriteStream & Readable): Readable {
  pipeline(Readable.from(source, { objectMode: false }), codec, () => {});
  return codec;
}
