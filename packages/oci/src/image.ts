import type { BlobStore } from './blob-store.ts';
import { type Descriptor, descriptorToWire, sortedRecord } from './descriptor.ts';
import { algorithmOf, type Digest, digestOf } from './digest.ts';
import { OciError } from './error.ts';
import { readAll } from './file-read.ts';
import { type ImageConfig, mergeImageConfig } from './image-config.ts';
import { decodeImageConfig, encodeImageConfig } from './image-config-wire.ts';
import type { BuiltLayer } from './layer.ts';
import { mediaTypes, ociLayerMediaType } from './media-types.ts';
import { malformed, parseManifest } from './wire.ts';

/** An image of one platform. The content of its blobs is in blob stores, not in here. */
export interface OciImage {
  /** Address, length and media type of the manifest. */
  readonly manifest: Descriptor;
  /** The manifest itself, byte for byte. */
  readonly manifestBytes: Uint8Array;
  /** Address, length and media type of the config. */
  readonly config: Descriptor;
  /** Lowest first. */
  readonly layers: readonly Descriptor[];
  /** The digests of the layers' tar streams, in the same order. */
  readonly diffIds: readonly Digest[];
}

/** An image together with its decoded config: what {@link buildImage} can build on. */
export interface LoadedImage extends OciImage {
  /** What runs in a container of the image. */
  readonly imageConfig: ImageConfig;
}

/** Options of {@link buildImage}. */
export interface BuildImageOptions {
  /** The image below; its config is inherited, value by value. */
  readonly base?: LoadedImage | undefined;
  /** Layers on top of the base, lowest first. */
  readonly layers: readonly BuiltLayer[];
  /** What runs in a container; over the base's. */
  readonly config: ImageConfig;
  /** Where the config and the manifest go. */
  readonly blobs: BlobStore;
  /** Annotations of the manifest. */
  readonly annotations?: Readonly<Record<string, string>> | undefined;
  /** Gives up between two documents. */
  readonly signal?: AbortSignal | undefined;
}

/** The largest manifest or config that is read into memory, in bytes. */
export const maximumDocumentSize = 4 * 1024 * 1024;

/**
 * Makes an image of layers that are built already. Nothing but the options is in it, no date either: the same
 * options always give the same digest.
 *
 * @throws {@link OciError} `SP_OCI_PLATFORM` when the base is for another platform, `SP_OCI_STORAGE`
 */
export async function buildImage(options: BuildImageOptions): Promise<OciImage> {
  const { base, blobs, annotations, signal } = options;
  const imageConfig = base === undefined ? options.config : mergeImageConfig(base.imageConfig, options.config);
  if (base !== undefined) checkPlatform(base.imageConfig, options.config);
  const layers = [
    ...(base?.layers ?? []).map((layer) => ({ ...layer, mediaType: ociLayerMediaType(layer.mediaType) })),
    ...options.layers.map((layer) => layer.descriptor),
  ];
  const diffIds = [...(base?.diffIds ?? []), ...options.layers.map((layer) => layer.diffId)];
  const configBlob = await blobs.write(encodeImageConfig(imageConfig, diffIds), { signal });
  const config: Descriptor = { mediaType: mediaTypes.config, ...configBlob };
  const document = {
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    config: descriptorToWire(config),
    layers: layers.map(descriptorToWire),
    ...(annotations === undefined ? {} : { annotations: sortedRecord(annotations) }),
  };
  const manifestBytes = Buffer.from(JSON.stringify(document));
  const manifestBlob = await blobs.write(manifestBytes, { signal });
  return { manifest: { mediaType: mediaTypes.manifest, ...manifestBlob }, manifestBytes, config, layers, diffIds };
}

/**
 * The image behind a manifest in a blob store: manifest and config are verified, layers are not looked at.
 *
 * @throws {@link OciError} `SP_OCI_BLOB_UNKNOWN`, `SP_OCI_DIGEST_MISMATCH`, `SP_OCI_DOCUMENT`
 */
export async function readImage(blobs: BlobStore, manifest: Descriptor): Promise<LoadedImage> {
  const manifestBytes = await readDocument(blobs, manifest);
  const document = parseManifest(manifestBytes, manifest.mediaType);
  if (document.kind === 'index') throw malformed('manifest', 'it is an index of several images');
  const { imageConfig, diffIds } = decodeImageConfig(await readDocument(blobs, document.config));
  if (diffIds.length !== document.layers.length) {
    throw malformed('image config', `it has ${diffIds.length} diff ids for ${document.layers.length} layers`);
  }
  const [config, ...layers] = [document.config, ...document.layers].map(descriptorToWire);
  return { manifest, manifestBytes, config: config as Descriptor, layers, diffIds, imageConfig };
}

/** A small blob in memory, verified. */
export async function readDocument(
  blobs: BlobStore,
  { digest }: Descriptor,
  limit: number = maximumDocumentSize,
): Promise<Uint8Array> {
  const bytes = await readAll(await blobs.read(digest), limit);
  if (bytes === undefined) throw malformed('document', `it is larger than ${limit} bytes`);
  const actual = digestOf(bytes, algorithmOf(digest));
  if (actual === digest) return bytes;
  throw new OciError('SP_OCI_DIGEST_MISMATCH', `Blob ${digest} is damaged: its content is ${actual}`, { digest });
}

function checkPlatform(base: ImageConfig, config: ImageConfig): void {
  if (base.os === config.os && base.architecture === config.architecture) return;
  const [below, wanted] = [base, config].map(({ os, architecture }) => `${os}/${architecture}`);
  throw new OciError('SP_OCI_PLATFORM', `Cannot build ${wanted} on a base image for ${below}`);
}
