import type { BlobStore } from './blob-store.ts';
import { decompressed } from './decompress.ts';
import type { Descriptor } from './descriptor.ts';
import { algorithmOf, createDigester, type Digest, type Digester } from './digest.ts';
import { OciError } from './error.ts';
import { createPiecePool, gzipPieces } from './gzip-pieces.ts';
import type { LayerCache } from './layer-cache.ts';
import { containedOnly } from './layer-check.ts';
import { type LayerEntry, planLayer } from './layer-entry.ts';
import { mediaTypes, ociLayerMediaType } from './media-types.ts';
import { packTar, tarPieceSize } from './tar-pack.ts';
import { checkZstd, zstdFrame } from './zstd.ts';

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
  /**
   * `zstd` is smaller and faster to unpack; it needs Node 22.15 here, and Docker 23 or containerd 1.5 where it runs.
   * @defaultValue 'gzip'
   */
  readonly compression?: 'gzip' | 'zstd' | 'none' | undefined;
  /** Remembers the layer, and knows it again without reading its files. `blobs` has to be the cache's own. */
  readonly cache?: LayerCache | undefined;
  /** Stops the work; nothing is left behind. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Packs entries into a layer, streamed to the blob store. The same entries in any order give the same tar stream:
 * sorted by path, missing parents added, all times the epoch. The compressed bytes are the same too as long as the
 * zlib inside Node is; `diffId` does not depend on it.
 *
 * @throws {@link OciError} `SP_OCI_PATH`, `SP_OCI_SOURCE`, `SP_OCI_FILE_CHANGED`, `SP_OCI_STORAGE`, `SP_OCI_MEDIA_TYPE`
 * (no zstd in this Node)
 */
export async function buildLayer(entries: Iterable<LayerEntry>, options: BuildLayerOptions): Promise<BuiltLayer> {
  const { cache, compression = 'gzip', signal } = options;
  if (cache === undefined) return packLayer(entries, options);
  // Checked and sorted only when packed: what the cache knows was.
  const list = Array.from(entries);
  return cache.get(list, { variant: compression, build: () => packLayer(list, options), signal });
}

async function packLayer(entries: Iterable<LayerEntry>, options: BuildLayerOptions): Promise<BuiltLayer> {
  const { blobs, compression = 'gzip', signal } = options;
  const planned = planLayer(entries);
  const digester = createDigester();
  const pool = createPiecePool();
  if (compression === 'none') {
    // A blob store may keep what it gets, so every piece has memory of its own.
    const blob = await blobs.write(plain(packTar(planned, { take: () => Buffer.allocUnsafe(tarPieceSize), signal })), {
      signal,
    });
    return { descriptor: { mediaType: mediaTypes.layer, ...blob }, diffId: blob.digest };
  }
  const isZstd = compression === 'zstd';
  if (isZstd) checkZstd();
  const pieces = packTar(planned, { take: pool.take, signal });
  const onPiece = (piece: Buffer): void => digester.update(piece);
  const members = gzipPieces(pieces, { pool, onPiece, ...(isZstd ? { compress: zstdFrame } : {}) });
  const blob = await blobs.write(members, { signal });
  const mediaType = isZstd ? mediaTypes.layerZstd : mediaTypes.layerGzip;
  return { descriptor: { mediaType, ...blob }, diffId: digester.digest() };
}

async function* plain(pieces: Iterable<Buffer>): AsyncGenerator<Uint8Array> {
  yield* pieces;
}

/** Options of {@link readLayer}. */
export interface ReadLayerOptions {
  /** How many bytes the tar stream may have: compressed, a few megabytes may hold a full disk. @defaultValue 16 GiB */
  readonly maxBytes?: number | undefined;
  /**
   * `contained`: the stream fails before an entry that is absolute, leaves the root by `..`, links to outside of it, or
   * is a device or a pipe. For unpacking on a computer; in a container absolute links are usual. @defaultValue 'any'
   */
  readonly entries?: 'any' | 'contained' | undefined;
}

/**
 * The tar stream inside a layer, decompressed. The blob's digest is checked on the way, so the content is proven only
 * when the stream has ended.
 *
 * @throws {@link OciError} `SP_OCI_MEDIA_TYPE` (not tar, or compressed as this Node cannot), `SP_OCI_BLOB_UNKNOWN`, `SP_OCI_DIGEST_MISMATCH`
 * (content, or length), `SP_OCI_DOCUMENT` (not valid gzip or, with `contained`, tar), `SP_OCI_TOO_LARGE`, `SP_OCI_PATH`
 */
export function readLayer(
  blobs: BlobStore,
  descriptor: Descriptor,
  options: ReadLayerOptions = {},
): AsyncIterable<Uint8Array> {
  const { maxBytes = 16 * 1024 ** 3, entries = 'any' } = options;
  const tar = atMost(unpack(blobs, descriptor), { maxBytes, digest: descriptor.digest });
  return entries === 'any' ? tar : containedOnly(tar, descriptor.digest);
}

async function* atMost(
  tar: AsyncIterable<Uint8Array>,
  { maxBytes, digest }: { readonly maxBytes: number; readonly digest: Digest },
): AsyncGenerator<Uint8Array> {
  let size = 0;
  for await (const piece of tar) {
    size += piece.byteLength;
    if (size > maxBytes) {
      throw new OciError('SP_OCI_TOO_LARGE', `Layer ${digest} is larger than ${maxBytes} bytes`, { digest });
    }
    yield piece;
  }
}

const formats: ReadonlyMap<string, 'none' | 'gzip' | 'zstd'> = new Map([
  [mediaTypes.layer, 'none'],
  [mediaTypes.layerGzip, 'gzip'],
  [mediaTypes.layerZstd, 'zstd'],
]);

async function* unpack(blobs: BlobStore, descriptor: Descriptor): AsyncGenerator<Uint8Array> {
  const { digest } = descriptor;
  const mediaType = ociLayerMediaType(descriptor.mediaType);
  const format = formats.get(mediaType);
  if (format === undefined) {
    throw new OciError('SP_OCI_MEDIA_TYPE', `Cannot read layer ${digest}: ${mediaType} is not supported`, { digest });
  }
  const digester = createDigester(algorithmOf(digest));
  const size = await blobs.has(digest);
  if (size !== undefined && size !== descriptor.size) {
    const message = `Layer ${digest} has ${size} bytes, not ${descriptor.size}`;
    throw new OciError('SP_OCI_DIGEST_MISMATCH', message, { digest });
  }
  const content = hashed(await blobs.read(digest), digester);
  yield* format === 'none' ? content : decompressed(content, { format, what: `layer ${digest}` });
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
