import type { Transform } from 'node:stream';
import * as zlib from 'node:zlib';
import { OciError } from './error.ts';

type Compress = (
  content: Uint8Array,
  options: { readonly params: Readonly<Record<number, number>> },
  callback: (error: Error | null, result: Uint8Array) => void,
) => void;

/** What `node:zlib` has since Node 22.15; the types are those of the oldest Node. */
interface ZstdFunctions {
  readonly zstdCompress?: Compress;
  readonly createZstdDecompress?: () => Transform;
}

const functions: typeof zlib & ZstdFunctions = zlib;

/** `ZSTD_c_compressionLevel`, of the format's own numbering. */
const compressionLevel = 100;

/** Compresses a piece as a zstd frame of its own: frames one after the other are valid, as gzip members are. */
export function zstdFrame(piece: Uint8Array): Promise<Uint8Array> {
  const { zstdCompress } = functions;
  if (zstdCompress === undefined) throw unsupported();
  return new Promise((resolve, reject) => {
    zstdCompress(piece, { params: { [compressionLevel]: 3 } }, (error, frame) => {
      if (error === null) resolve(frame);
      else reject(error);
    });
  });
}

/** Decompresses frames. @throws {@link OciError} `SP_OCI_MEDIA_TYPE` when this Node has no zstd */
export function createUnzstd(): Transform {
  if (functions.createZstdDecompress === undefined) throw unsupported();
  return functions.createZstdDecompress();
}

/** To find out before work is done. @throws {@link OciError} `SP_OCI_MEDIA_TYPE` when this Node has no zstd */
export function checkZstd(): void {
  if (functions.zstdCompress === undefined) throw unsupported();
}

function unsupported(): OciError {
  return new OciError('SP_OCI_MEDIA_TYPE', 'Cannot use zstd: it needs Node 22.15');
}
