import { pipeline, Readable } from 'node:stream';
import { createGunzip, createGzip } from 'node:zlib';

/** A stream compressed; what fails in the source fails here. */
export function gzipped(source: AsyncIterable<Uint8Array>, options: { readonly level: number }): Readable {
  const gzip = createGzip({ level: options.level, chunkSize: 256 * 1024 });
  // Not `compose`: it leaves an error of a stream that nobody reads any more to the process.
  pipeline(Readable.from(source, { objectMode: false }), gzip, () => {});
  return gzip;
}

/** A compressed stream as it was; what is damaged fails with an error whose code begins with `Z_`. */
export function gunzipped(source: AsyncIterable<Uint8Array>): Readable {
  const gunzip = createGunzip({ chunkSize: 256 * 1024 });
  pipeline(Readable.from(source, { objectMode: false }), gunzip, () => {});
  return gunzip;
}
