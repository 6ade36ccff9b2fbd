import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type BlobStore, createBlobStore } from './blob-store.ts';
import { type Descriptor, descriptorToWire } from './descriptor.ts';
import { OciError } from './error.ts';
import { isMissing, storageError, writeFileAtomic } from './file-write.ts';
import { type LoadedImage, type OciImage, readDocument, readImage } from './image.ts';
import { isIndexMediaType, manifestMediaTypes, mediaTypes } from './media-types.ts';
import {
  type DocumentDescriptor,
  isAttestation,
  malformed,
  type Platform,
  parseJsonObject,
  parseManifest,
} from './wire.ts';

const tagAnnotation = 'org.opencontainers.image.ref.name';

/** Options of {@link loadOciLayout}. */
export interface LoadOciLayoutOptions {
  /** Which image to take. Needed when the layout has images for several platforms. */
  readonly platform?: Platform | undefined;
  /** Gives up between two documents. */
  readonly signal?: AbortSignal | undefined;
}

/** Options of {@link saveOciLayout}. */
export interface SaveOciLayoutOptions {
  /** Where the blobs of the image are. */
  readonly blobs: BlobStore;
  /** The name of the image in the layout. */
  readonly tag?: string | undefined;
  /** Stops between two files. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Opens an OCI image layout, as written by {@link saveOciLayout}, `skopeo`, `umoci` or `docker buildx`. Its blobs stay
 * where they are; every layer is checked to be there with the right length.
 *
 * @throws {@link OciError} `SP_OCI_DOCUMENT` (not a layout), `SP_OCI_PLATFORM` (no such image, or several and no
 * `platform`), `SP_OCI_BLOB_UNKNOWN`, `SP_OCI_DIGEST_MISMATCH`
 */
export async function loadOciLayout(
  directory: string,
  options: LoadOciLayoutOptions = {},
): Promise<{ readonly image: LoadedImage; readonly blobs: BlobStore }> {
  const { platform, signal } = options;
  const blobs = createBlobStore(directory);
  const version = parseJsonObject(await readLayoutFile(directory, 'oci-layout'), 'oci-layout');
  if (version['imageLayoutVersion'] !== '1.0.0') throw malformed('oci-layout', 'its version is not 1.0.0');
  const found: DocumentDescriptor[] = [];
  const index = parseManifest(await readLayoutFile(directory, 'index.json'), mediaTypes.index);
  await collectImages(index.kind === 'index' ? index.manifests : [], { blobs, found, depth: 0 });
  const images: LoadedImage[] = [];
  for (const descriptor of found) {
    signal?.throwIfAborted();
    // An index may leave the platform out; the config always has it.
    if (platform !== undefined && !matches(descriptor.platform ?? platform, platform)) continue;
    images.push(await readImage(blobs, descriptorToWire(descriptor)));
  }
  const image = choose(directory, images, platform);
  for (const layer of image.layers) await checkPresent(blobs, layer);
  return { image, blobs };
}

/**
 * Writes an image as an OCI image layout with this one image. Blobs that are there already stay; `index.json` is
 * replaced last, so a reader never sees half an image.
 *
 * @throws {@link OciError} `SP_OCI_BLOB_UNKNOWN` when a blob is in neither place, `SP_OCI_DIGEST_MISMATCH`, `SP_OCI_STORAGE`
 */
export async function saveOciLayout(directory: string, image: OciImage, options: SaveOciLayoutOptions): Promise<void> {
  const { blobs, tag, signal } = options;
  const target = createBlobStore(directory);
  for (const { digest } of [...image.layers, image.config]) {
    if ((await target.has(digest)) === undefined) {
      await target.write(await blobs.read(digest), { expected: digest, signal });
    }
  }
  await target.write(image.manifestBytes, { expected: image.manifest.digest, signal });
  const annotations = tag === undefined ? image.manifest.annotations : { [tagAnnotation]: tag };
  const manifests = [descriptorToWire({ ...image.manifest, annotations })];
  await writeFileAtomic(join(directory, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
  const index = { schemaVersion: 2, mediaType: mediaTypes.index, manifests };
  await writeFileAtomic(join(directory, 'index.json'), JSON.stringify(index));
}

interface Collection {
  readonly blobs: BlobStore;
  readonly found: DocumentDescriptor[];
  readonly depth: number;
}

/** The images of an index, also those of indexes inside it. */
async function collectImages(manifests: readonly DocumentDescriptor[], collection: Collection): Promise<void> {
  const { blobs, found, depth } = collection;
  if (depth > 4) throw malformed('index', 'indexes are nested too deeply');
  for (const descriptor of manifests) {
    if (isIndexMediaType(descriptor.mediaType)) {
      const inner = parseManifest(await readDocument(blobs, descriptor), descriptor.mediaType);
      if (inner.kind === 'index') await collectImages(inner.manifests, { blobs, found, depth: depth + 1 });
    } else if (manifestMediaTypes.includes(descriptor.mediaType) && !isAttestation(descriptor)) {
      found.push(descriptor);
    }
  }
}

function choose(directory: string, images: readonly LoadedImage[], platform: Platform | undefined): LoadedImage {
  const fitting = images.filter(({ imageConfig }) => platform === undefined || matches(imageConfig, platform));
  const [image, second] = fitting;
  const known = images.map(({ imageConfig }) => `${imageConfig.os}/${imageConfig.architecture}`).join(', ');
  if (image === undefined) {
    const wanted = platform === undefined ? '' : ` for ${platform.os}/${platform.architecture}`;
    throw new OciError('SP_OCI_PLATFORM', `No image${wanted} in the layout ${directory}`, { path: directory });
  }
  if (second !== undefined && second.manifest.digest !== image.manifest.digest) {
    throw new OciError('SP_OCI_PLATFORM', `Several images in the layout ${directory}: ${known}`, { path: directory });
  }
  return image;
}

async function checkPresent(blobs: BlobStore, { digest, size }: Descriptor): Promise<void> {
  const actual = await blobs.has(digest);
  if (actual === size) return;
  if (actual === undefined) throw new OciError('SP_OCI_BLOB_UNKNOWN', `No blob ${digest}`, { digest });
  throw new OciError('SP_OCI_DIGEST_MISMATCH', `Blob ${digest} has ${actual} bytes, not ${size}`, { digest });
}

async function readLayoutFile(directory: string, name: string): Promise<Uint8Array> {
  const path = join(directory, name);
  try {
    return await readFile(path);
  } catch (error) {
    if (!isMissing(error)) throw storageError(path, error);
    throw new OciError('SP_OCI_DOCUMENT', `${directory} is not an OCI image layout: no ${name}`, { path });
  }
}

function matches(a: Platform, b: Platform): boolean {
  return a.os === b.os && a.architecture === b.architecture;
}
