import { readdir, readFile, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { createBlobStore } from './blob-store.ts';
import type { Descriptor } from './descriptor.ts';
import { type Digest, digestHex, digestOf, isDigest } from './digest.ts';
import { OciError } from './error.ts';
import { isMissing, storageError, writeFileAtomic } from './file-write.ts';
import { readDocument } from './image.ts';
import { isRepositoryName } from './reference.ts';
import { createReferrerStore } from './registry-referrers.ts';
import type { DiskRegistryStorage } from './registry-storage.ts';
import { createTagStore } from './registry-tags.ts';
import { createUploadStore } from './registry-uploads.ts';
import { malformed, parseJsonObject, parseManifest } from './wire.ts';

/** How old the link of a blob that is asked for may look before it is made young again. */
const freshMilliseconds = 10 * 60 * 1000;

/**
 * Keeps a registry in a directory: `blobs/<algorithm>/<hex>` for all content, and per repository `_blobs`, `_manifests`,
 * `_referrers`, `_tags` and `_uploads` below `repositories/<name>` (no part of a repository's name starts with `_`).
 */
export function createDiskRegistryStorage(directory: string): DiskRegistryStorage {
  const blobs = createBlobStore(directory);
  const folder = (repository: string, kind: string): string => repositoryFolder(directory, repository, kind);
  const tags = createTagStore((repository) => folder(repository, '_tags'));
  const referrers = createReferrerStore((repository) => folder(repository, '_referrers'));
  const blobLink = (repository: string, digest: Digest): string =>
    join(folder(repository, '_blobs'), digestHex(digest));
  const manifestLink = (repository: string, digest: Digest): string =>
    join(folder(repository, '_manifests'), digestHex(digest));
  const linkBlob = (repository: string, digest: Digest): Promise<void> =>
    writeFileAtomic(blobLink(repository, digest), '');
  const uploads = createUploadStore({
    directory,
    folder: (repository) => folder(repository, '_uploads'),
    onComplete: linkBlob,
  });

  const find = async (repository: string, reference: string): Promise<Descriptor | undefined> => {
    const digest = isDigest(reference) ? reference : await tags.get(repository, reference);
    if (digest === undefined) return undefined;
    const link = await readOptional(manifestLink(repository, digest));
    if (link === undefined) return undefined;
    const { media_type: mediaType, size } = parseJsonObject(link, 'manifest link');
    if (typeof mediaType === 'string' && typeof size === 'number') return { mediaType, digest, size };
    throw malformed('manifest link', `that of ${digest} is damaged`);
  };

  const storage: DiskRegistryStorage = {
    directory,
    blobs,
    uploads,
    linkBlob,
    resolve: find,
    async readManifest(repository, reference) {
      const descriptor = await find(repository, reference);
      return descriptor && { descriptor, bytes: await readDocument(blobs, descriptor, Number.POSITIVE_INFINITY) };
    },
    async writeManifest(repository, { bytes, mediaType, tag, digest = digestOf(bytes), referrer }) {
      const descriptor = { mediaType, digest, size: bytes.byteLength };
      await blobs.write(bytes, { expected: digest });
      if (referrer !== undefined) await referrers.set(repository, descriptor, referrer);
      const link = JSON.stringify({ media_type: mediaType, size: bytes.byteLength });
      await writeFileAtomic(manifestLink(repository, digest), link);
      // Last: whoever sees the tag finds everything behind it.
      if (tag !== undefined) await tags.set(repository, tag, digest);
      return descriptor;
    },
    async hasBlob(repository, digest) {
      const age = await ageOf(blobLink(repository, digest));
      if (age === undefined) return undefined;
      // Whoever asks may be about to push a manifest with it: for the garbage collector it is as if just pushed.
      if (age > freshMilliseconds) await utimes(blobLink(repository, digest), new Date(), new Date()).catch(() => {});
      return blobs.has(digest);
    },
    async listTags(repository) {
      const found = await tags.list(repository);
      if (found.length > 0) return found;
      return (await ageOf(folder(repository, '_manifests'))) === undefined ? undefined : [];
    },
    async listReferrers(repository, subject) {
      const all = await referrers.list(repository, subject);
      const present = await Promise.all(all.map(({ digest }) => find(repository, digest)));
      return all.filter((_, index) => present[index] !== undefined);
    },
    async deleteManifest(repository, digest) {
      if ((await find(repository, digest)) === undefined) return false;
      // Tags first: none may point at nothing.
      for (const tag of await tags.list(repository)) {
        if ((await tags.get(repository, tag)) === digest) await tags.delete(repository, tag);
      }
      const manifest = await storage.readManifest(repository, digest).catch(() => undefined);
      const removed = await removeLink(manifestLink(repository, digest));
      const subject = manifest && subjectOf(manifest.bytes);
      if (subject !== undefined) await referrers.delete(repository, subject, digest);
      return removed;
    },
    deleteTag: (repository, tag) => tags.delete(repository, tag),
    unlinkBlob: (repository, digest) => removeLink(blobLink(repository, digest)),
  };
  return storage;
}

/** A folder of a repository in the directory of a registry. */
export function repositoryFolder(directory: string, repository: string, kind: string): string {
  // The last line of defence: a name from a request becomes a path here.
  if (!isRepositoryName(repository)) {
    throw new OciError('SP_OCI_REFERENCE', `Invalid repository ${JSON.stringify(repository)}`, { repository });
  }
  return join(directory, 'repositories', ...repository.split('/'), kind);
}

/** The names of all repositories in the directory of a registry. */
export async function listRepositories(directory: string, parent = ''): Promise<readonly string[]> {
  const path = join(directory, 'repositories', ...parent.split('/'));
  const entries = await readdir(path, { withFileTypes: true }).catch((error: unknown) => {
    if (isMissing(error)) return [];
    throw storageError(path, error);
  });
  const isRepository = entries.some(({ name }) => ['_blobs', '_manifests', '_uploads'].includes(name));
  const found = isRepository && parent !== '' ? [parent] : [];
  for (const entry of entries) {
    if (!entry.isDirectory() || entry.name.startsWith('_')) continue;
    found.push(...(await listRepositories(directory, parent === '' ? entry.name : `${parent}/${entry.name}`)));
  }
  return found;
}

function subjectOf(bytes: Uint8Array): Digest | undefined {
  try {
    return parseManifest(bytes).referrer?.subject;
  } catch {
    return undefined;
  }
}

async function removeLink(path: string): Promise<boolean> {
  try {
    await rm(path);
    return true;
  } catch (error) {
    if (isMissing(error)) return false;
    throw storageError(path, error);
  }
}

async function readOptional(path: string): Promise<Uint8Array | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw storageError(path, error);
  }
}

async function ageOf(path: string): Promise<number | undefined> {
  try {
    return Date.now() - (await stat(path)).mtimeMs;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw storageError(path, error);
  }
}
