import { createHash } from 'node:crypto';
import { readFile, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { type BlobStore, createBlobStore } from './blob-store.ts';
import type { Descriptor } from './descriptor.ts';
import { isDigest } from './digest.ts';
import { importDockerArchive } from './docker-archive.ts';
import { isOciError, OciError } from './error.ts';
import { isMissing, storageError, writeFileAtomic } from './file-write.ts';
import { type LoadedImage, readImage } from './image.ts';
import { loadOciLayout } from './layout.ts';
import { pullImage, resolveForPlatform } from './pull-image.ts';
import { formatImageReference, parseImageReference } from './reference.ts';
import { createRegistryClient, type RegistryClientOptions } from './registry-client.ts';
import { isObject, malformed, type Platform } from './wire.ts';

/** How one registry is talked to; `undefined`: anonymous, with every default. */
export type RegistryAccount = Omit<RegistryClientOptions, 'registry'> | undefined;

/** Options of {@link loadBaseImage}. */
export interface LoadBaseImageOptions {
  /** What the image has to run on. */
  readonly platform: Platform;
  /** Where what comes from registries and archives is kept: a blob store, and what is known about it in `bases`. */
  readonly cacheDirectory: string;
  /** How to talk to a registry: login, transport, retries. Called with its name, `host[:port]`. @defaultValue anonymous */
  readonly client?: ((registry: string) => RegistryAccount | Promise<RegistryAccount>) | undefined;
  /** Gives up the download; what is there stays in the cache. */
  readonly signal?: AbortSignal | undefined;
}

/** An image to build on, complete and on this computer. */
export interface BaseImage {
  /** What is known of the image: where its parts are, and its config. */
  readonly image: LoadedImage;
  /** Where its blobs are. */
  readonly blobs: BlobStore;
  /** The reference with the digest that it stands for now: the same image for ever. Missing for what is on disk. */
  readonly pinned?: string | undefined;
}

/**
 * Gets the image that a Dockerfile's FROM would name: `scratch` (no image: `undefined`), `oci:<folder>` (an OCI image
 * layout), `docker-archive:<file>` (what `docker save` wrote), or a reference to a registry. What is in the cache is not
 * fetched again; a reference with a digest that is in the cache asks nobody.
 *
 * @throws {@link OciError} `SP_OCI_REFERENCE`, `SP_OCI_NOT_FOUND`, `SP_OCI_PLATFORM` (no image for it),
 * `SP_OCI_DOCUMENT`, `SP_OCI_DIGEST_MISMATCH`, `SP_OCI_STORAGE`, and what registries answer
 *
 * @example
 * const base = await loadBaseImage('debian:bookworm-slim', { platform: { os: 'linux', architecture: 'amd64' }, cacheDirectory });
 */
export async function loadBaseImage(reference: string, options: LoadBaseImageOptions): Promise<BaseImage | undefined> {
  const { platform, signal } = options;
  if (reference === 'scratch') return undefined;
  if (reference.startsWith('oci:')) return loadOciLayout(reference.slice('oci:'.length), { platform, signal });
  if (reference.startsWith('docker-archive:')) return fromArchive(reference.slice('docker-archive:'.length), options);
  return fromRegistry(reference, options);
}

async function fromArchive(path: string, options: LoadBaseImageOptions): Promise<BaseImage> {
  const { platform, cacheDirectory, signal } = options;
  const blobs = createBlobStore(cacheDirectory);
  const info = await stat(path, { bigint: true }).catch((error: unknown) => {
    if (isMissing(error)) throw new OciError('SP_OCI_NOT_FOUND', `No file ${path}`, { path });
    throw storageError(path, error);
  });
  // A folder cannot be read, and a pipe or a device may have no end.
  if (!info.isFile()) throw malformed(path, 'it is not a file');
  const { dev, ino, size, mtimeNs, ctimeNs } = info;
  const cached = cacheFile(options, ['archive', dev, ino, size, mtimeNs, ctimeNs].join());
  const known = await recall(blobs, cached);
  if (known !== undefined) return { image: known, blobs };
  const image = await importDockerArchive(path, { blobs, platform, signal });
  await remember(cached, image.manifest);
  return { image, blobs };
}

async function fromRegistry(text: string, options: LoadBaseImageOptions): Promise<BaseImage> {
  const { platform, cacheDirectory, signal } = options;
  const blobs = createBlobStore(cacheDirectory);
  const reference = parseImageReference(text);
  const { registry, repository, tag = 'latest', digest } = reference;
  const client = createRegistryClient({ ...(await options.client?.(registry)), registry });
  const found = digest === undefined ? await client.resolve(repository, tag, { signal }) : { digest };
  if (found === undefined) {
    throw new OciError('SP_OCI_NOT_FOUND', `No image ${text}`, { registry, repository, status: 404 });
  }
  const pinned = formatImageReference({ ...reference, digest: found.digest });
  const cached = cacheFile(options, `${registry}/${repository}@${found.digest}`);
  const known = await recall(blobs, cached);
  if (known !== undefined) return { image: known, blobs, pinned };
  const manifest = await resolveForPlatform(client, { repository, digest: found.digest, platform, signal });
  const image = await pullImage(client, { repository, manifest, platform, blobs, signal });
  await remember(cached, image.manifest);
  return { image, blobs, pinned };
}

function cacheFile({ cacheDirectory, platform }: LoadBaseImageOptions, key: string): string {
  const text = `${platform.os}/${platform.architecture} ${key}`;
  return join(cacheDirectory, 'bases', `${createHash('sha256').update(text).digest('hex')}.json`);
}

function remember(path: string, { mediaType, digest, size }: Descriptor): Promise<void> {
  return writeFileAtomic(path, JSON.stringify({ media_type: mediaType, digest, size }));
}

/** A remembered image whose blobs are all still there; anything else is got again. */
async function recall(blobs: BlobStore, path: string): Promise<LoadedImage | undefined> {
  try {
    const json: unknown = JSON.parse(await readFile(path, 'utf8'));
    if (!isObject(json)) return undefined;
    const { media_type: mediaType, digest, size } = json;
    if (typeof mediaType !== 'string' || typeof digest !== 'string' || !isDigest(digest)) return undefined;
    const image = await readImage(blobs, { mediaType, digest, size: Number(size) });
    for (const blob of [image.manifest, image.config, ...image.layers]) {
      // Used just now: a layer cache in the same folder that makes room leaves it from here on.
      await utimes(blobs.path(blob.digest), new Date(), new Date()).catch(() => {});
      if ((await blobs.has(blob.digest)) !== blob.size) return undefined;
    }
    return image;
  } catch (error) {
    if (error instanceof SyntaxError || isOciError(error) || isMissing(error)) return undefined;
    throw storageError(path, error);
  }
}
