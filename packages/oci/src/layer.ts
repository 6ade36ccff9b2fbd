import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createGzip } from 'node:zlib';
import type { BlobStore } from './blob-store.ts';
import type { Descriptor } from './descriptor.ts';
import { createDigester, type Digest, type Digester } from './digest.ts';
import { OciError } from './error.ts';
import { type LayerEntry, planLayer } from './layer-entry.ts';
import { mediaTypes, ociLayerMediaType } from './media-types.ts';
import { packTar } from './tar-pack.ts';

/** A layer that is in a blob store. */
export interface BuiltLayer {
  /** The layer as a manifest names it: the digest of the compressed bytes. */
  readonly descriptor: Descriptor;
  /** The digest of the tar stream inside, as the image config names it. */
  readonly diffId: Digest;
}

/** Options of {@link buildLayer}. */
export interface BuildLayerOptions {
  /** Where the layer goes. */
  readonly blobs: BlobStore;
  /** @defaultValue 'gzip' */
  readonly compression?: 'gzip' | 'none' | undefined;
  /** Stops the work; nothing is left behind. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Packs entries into a layer, streamed to the blob store. The same entries in any order give the same tar stream:
 * sorted by path, missing parents added, all times the epoch. The compressed bytes are the same too as long as the
 * zlib inside Node is; `diffId` does not depend on it.
 *
 * @throws {@link OciError} `SP_OCI_PATH`, `SP_OCI_SOURCE`, `SP_OCI_FILE_CHANGED`, `SP_OCI_STORAGE`
 */
export async function buildLayer(entries: Iterable<LayerEntry>, options: BuildLayerOptions): Promise<BuiltLayer> {
  const { blobs, compression = 'gzip', signal } = options;
  const digester = createDigester();
  const tar = hashed(packTar(planLayer(entries), signal), digester);
  if (compression === 'none') {
    const blob = await blobs.write(tar, { signal });
    return { descriptor: { mediaType: mediaTypes.layer, ...blob }, diffId: blob.digest };
  }
  // Level 1: on binaries 2.5 times the speed of the default for a tenth more bytes.
  const gzip = createGzip({ level: 1, chunkSize: 128 * 1024 });
  const packing = pipeline(Readable.from(tar, { objectMode: false }), gzip, { signal });
  // An error of the packing also ends the stream that `write` reads, and is thrown from there.
  packing.catch(() => {});
  const blob = await blobs.write(withFixedHeader(gzip), { signal });
  await packing;
  return { descriptor: { mediaType: mediaTypes.layerGzip, ...blob }, diffId: digester.digest() };
}

/**
 * The tar stream inside a layer, decompressed. The blob's digest is checked on the way, so the content is proven only
 * when the stream has ended.
 *
 * @throws {@link OciError} `SP_OCI_MEDIA_TYPE` (not tar or gzip), `SP_OCI_BLOB_UNKNOWN`, `SP_OCI_DIGEST_MISMATCH`,
 * `SP_OCI_DOCUMENT` (not valid gzip)
 */
export async function* readLayer(blobs: BlobStore, descriptor: Descriptor): AsyncIterable<Uint8Array> {
  const { digest } = descriptor;
  const mediaType = ociLayerMediaType(descriptor.mediaType);
  if (mediaType !== mediaTypes.layer && mediaType !== mediaTypes.layerGzip) {
    throw new OciError('SP_OCI_MEDIA_TYPE', `Cannot read layer ${digest}: ${mediaType} is not supported`, { digest });
  }
  const digester = createDigester();
  const content = hashed(await blobs.read(digest), digester);
  if (mediaType === mediaTypes.layer) {
    yield* content;
  } else {
    const gunzip = createGunzip({ chunkSize: 128 * 1024 });
    const unpacking = pipeline(Readable.from(content, { objectMode: false }), gunzip);
    unpacking.catch(() => {});
    try {
      yield* gunzip as AsyncIterable<Buffer>;
    } catch (error) {
      if (!String((error as NodeJS.ErrnoException).code).startsWith('Z_')) throw error;
      throw new OciError('SP_OCI_DOCUMENT', `Cannot read layer ${digest}: it is not valid gzip`, { digest });
    } finally {
      gunzip.destroy();
    }
    await unpacking;
  }
  const actual = digester.digest();
  if (actual !== digest) {
    throw new OciError('SP_OCI_DIGEST_MISMATCH', `Layer ${digest} is damaged: its content is ${actual}`, { digest });
  }
}

async function* hashed(source: AsyncIterable<Uint8Array>, digester: Digester): AsyncGenerator<Uint8Array> {
  for await (const chunk of source) {
    digester.update(chunk);
    yield chunk;
  }
}

/** zlib writes the operating system into byte 9 of the gzip header; 255 is "unknown", everywhere. */
async function* withFixedHeader(gzip: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let position = 0;
  for await (const chunk of gzip) {
    if (position <= 9 && position + chunk.byteLength > 9) chunk[9 - position] = 255;
    position += chunk.byteLength;
    yield chunk;
  }
}
