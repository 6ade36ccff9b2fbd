import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type BlobStore, createBlobStore } from './blob-store.ts';
import type { Descriptor } from './descriptor.ts';
import { type Digest, digestHex, digestOf, isDigest } from './digest.ts';
import { OciError } from './error.ts';
import { isMissing, storageError, writeFileAtomic } from './file-write.ts';
import { readDocument } from './image.ts';
import { isRepositoryName } from './reference.ts';
import { createTagStore } from './registry-tags.ts';
import { createUploadStore, type UploadStore } from './registry-uploads.ts';
import { malformed, parseJsonObject } from './wire.ts';

/** A manifest as it was pushed, with what it is. */
export interface StoredManifest {
  readonly descriptor: Descriptor;
  /** Byte for byte. */
  readonly bytes: Uint8Array;
}

/**
 * What a registry keeps. Content is stored once for all repositories, but belongs to a repository only after it was
 * pushed there: knowing a digest gives nobody access.
 */
export interface RegistryStorage {
  /** All content of all repositories, manifests too: for use by the server itself, never for answers to clients. */
  readonly blobs: BlobStore;
  /** Uploads that are not finished. */
  readonly uploads: UploadStore;
  /** What a tag or a digest stands for in a repository. */
  resolve(repository: string, reference: string): Promise<Descriptor | undefined>;
  /** The manifest behind a tag or a digest. */
  readManifest(repository: string, reference: string): Promise<StoredManifest | undefined>;
  /** Stores a manifest, then moves the tag to it, in one step each. The blobs have to be there already. */
  writeManifest(
    repository: string,
    manifest: { readonly bytes: Uint8Array; readonly mediaType: string; readonly tag?: string | undefined },
  ): Promise<Descriptor>;
  /** Size of a blob of this repository; `undefined` also when only other repositories have it. */
  hasBlob(repository: string, digest: Digest): Promise<number | undefined>;
  /** Makes a stored blob part of a repository. */
  linkBlob(repository: string, digest: Digest): Promise<void>;
  /** Tags in code-unit order, or `undefined` when nothing was ever pushed to the repository. */
  listTags(repository: string): Promise<readonly string[] | undefined>;
}

/**
 * Keeps a registry in a directory: `blobs/sha256/<hex>` for all content, and per repository `_blobs`, `_manifests`,
 * `_tags` and `_uploads` below `repositories/<name>` (no part of a repository's name starts with `_`).
 */
export function createDiskRegistryStorage(directory: string): RegistryStorage {
  const blobs = createBlobStore(directory);
  const folder = (repository: string, kind: string): string => {
    // The last line of defence: a name from a request becomes a path here.
    if (!isRepositoryName(repository)) {
      throw new OciError('SP_OCI_REFERENCE', `Invalid repository ${JSON.stringify(repository)}`, { repository });
    }
    return join(directory, 'repositories', ...repository.split('/'), kind);
  };
  const tags = createTagStore((repository) => folder(repository, '_tags'));
  const linkBlob = async (repository: string, digest: Digest): Promise<void> => {
    await writeFileAtomic(join(folder(repository, '_blobs'), digestHex(digest)), '');
  };
  const uploads = createUploadStore({
    directory,
    folder: (repository) => folder(repository, '_uploads'),
    onComplete: linkBlob,
  });

  const find = async (repository: string, reference: string): Promise<Descriptor | undefined> => {
    const digest = isDigest(reference) ? reference : await tags.get(repository, reference);
    if (digest === undefined) return undefined;
    const link = await readOptional(join(folder(repository, '_manifests'), digestHex(digest)));
    if (link === undefined) return undefined;
    const { media_type: mediaType, size } = parseJsonObject(link, 'manifest link');
    if (typeof mediaType === 'string' && typeof size === 'number') return { mediaType, digest, size };
    throw malformed('manifest link', `that of ${digest} is damaged`);
  };

  return {
    blobs,
    uploads,
    linkBlob,
    resolve: find,
    async readManifest(repository, reference) {
      const descriptor = await find(repository, reference);
      return descriptor && { descriptor, bytes: await readDocument(blobs, descriptor, Number.POSITIVE_INFINITY) };
    },
    async writeManifest(repository, { bytes, mediaType, tag }) {
      const digest = digestOf(bytes);
      const descriptor = { mediaType, digest, size: bytes.byteLength };
      await blobs.write(bytes, { expected: digest });
      const link = JSON.stringify({ media_type: mediaType, size: bytes.byteLength });
      await writeFileAtomic(join(folder(repository, '_manifests'), digestHex(digest)), link);
      // Last: whoever sees the tag finds everything behind it.
      if (tag !== undefined) await tags.set(repository, tag, digest);
      return descriptor;
    },
    async hasBlob(repository, digest) {
      const link = await readOptional(join(folder(repository, '_blobs'), digestHex(digest)));
      return link === undefined ? undefined : blobs.has(digest);
    },
    async listTags(repository) {
      const found = await tags.list(repository);
      if (found.length > 0) return found;
      return (await exists(folder(repository, '_manifests'))) ? [] : undefined;
    },
  };
}

async function readOptional(path: string): Promise<Uint8Array | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw storageError(path, error);
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    if (isMissing(error)) return false;
    throw storageError(path, error);
  }
}
