import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Digest, type DigestAlgorithm, isDigest } from './digest.ts';
import { isOciError } from './error.ts';
import { isMissing, storageError } from './file-write.ts';
import { maximumDocumentSize, readDocument } from './image.ts';
import { listRepositories, repositoryFolder } from './registry-disk.ts';
import type { DiskRegistryStorage } from './registry-storage.ts';
import { parseManifest } from './wire.ts';

/** Options of {@link collectGarbage}. */
export interface CollectGarbageOptions {
  /** What is cleaned up. */
  readonly storage: DiskRegistryStorage;
  /** Manifests and blobs that stay whether or not a tag leads to them, with everything below them. */
  readonly keep?: Iterable<Digest> | undefined;
  /** What arrived, or was asked for, after this moment stays: it may be part of a push that goes on. */
  readonly olderThan: Date;
  /** Stops between two deletions; what is gone stays gone. */
  readonly signal?: AbortSignal | undefined;
}

/** What {@link collectGarbage} removed. */
export interface CollectedGarbage {
  /** Manifests taken out of repositories. */
  readonly manifests: number;
  /** Blobs taken out of repositories. */
  readonly blobs: number;
  /** Contents deleted, and their bytes. */
  readonly contents: number;
  /** Bytes of the deleted contents. */
  readonly bytes: number;
  /** Uploads that were begun and not finished. */
  readonly uploads: number;
}

interface Found {
  readonly digest: Digest;
  readonly path: string;
  readonly size: number;
  readonly young: boolean;
}

interface Repository {
  readonly name: string;
  readonly manifests: readonly Found[];
  readonly blobs: readonly Found[];
  readonly needed: Set<Digest>;
}

/**
 * Removes what nothing leads to: no tag, no digest to keep, no manifest about a manifest that stays; and uploads that were
 * given up. The registry may be used meanwhile. Nothing is removed before everything is known, so a manifest that cannot be read stops it in time.
 *
 * @throws {@link OciError} `SP_OCI_DOCUMENT`, `SP_OCI_DIGEST_MISMATCH`, `SP_OCI_BLOB_UNKNOWN` (a manifest that is needed is
 * damaged or gone), `SP_OCI_STORAGE`
 */
export async function collectGarbage(options: CollectGarbageOptions): Promise<CollectedGarbage> {
  const { storage, olderThan, signal } = options;
  const keep = new Set(options.keep);
  const repositories: Repository[] = [];
  for (const name of await listRepositories(storage.directory)) {
    const list = (kind: string): Promise<readonly Found[]> =>
      filesIn(repositoryFolder(storage.directory, name, kind), olderThan);
    repositories.push({ name, manifests: await list('_manifests'), blobs: await list('_blobs'), needed: new Set() });
  }
  for (const repository of repositories) {
    signal?.throwIfAborted();
    await mark(storage, repository, keep);
  }
  const linked = await contentBelow(storage, keep);
  const removed = { manifests: 0, blobs: 0, contents: 0, bytes: 0, uploads: 0 };
  for (const { name, manifests, blobs, needed } of repositories) {
    signal?.throwIfAborted();
    const isOver = async ({ digest, path }: Found): Promise<boolean> => {
      // The time is looked at again: somebody may have pushed or asked for it meanwhile.
      if (!needed.has(digest) && !keep.has(digest) && (await isYoung(path, olderThan)) === false) return true;
      linked.add(digest);
      return false;
    };
    for (const one of manifests) {
      if ((await isOver(one)) && (await storage.deleteManifest(name, one.digest))) removed.manifests += 1;
    }
    for (const one of blobs) {
      if ((await isOver(one)) && (await storage.unlinkBlob(name, one.digest))) removed.blobs += 1;
    }
    for (const digest of needed) linked.add(digest);
    removed.uploads += await dropUploads(repositoryFolder(storage.directory, name, '_uploads'), olderThan);
  }
  for (const algorithm of ['sha256', 'sha512'] as const) {
    for (const { digest, size, path } of await contentsOf(storage.directory, algorithm, olderThan)) {
      signal?.throwIfAborted();
      if (linked.has(digest) || (await isYoung(path, olderThan)) !== false) continue;
      if (await isLinkedNow(storage.directory, digest)) continue;
      await storage.blobs.delete(digest);
      removed.contents += 1;
      removed.bytes += size;
    }
  }
  return removed;
}

/** Fills `needed` of a repository: what its tags and the kept digests lead to, and what is about any of it. */
async function mark(storage: DiskRegistryStorage, repository: Repository, keep: ReadonlySet<Digest>): Promise<void> {
  const { name, manifests, needed } = repository;
  const waiting: Digest[] = manifests.filter(({ digest, young }) => young || keep.has(digest)).map((one) => one.digest);
  for (const tag of (await storage.listTags(name)) ?? []) {
    const descriptor = await storage.resolve(name, tag);
    if (descriptor !== undefined) waiting.push(descriptor.digest);
  }
  for (let digest = waiting.pop(); digest !== undefined; digest = waiting.pop()) {
    if (needed.has(digest)) continue;
    needed.add(digest);
    const descriptor = await storage.resolve(name, digest);
    if (descriptor === undefined) continue;
    const bytes = await readDocument(storage.blobs, descriptor, Number.POSITIVE_INFINITY);
    const document = parseManifest(bytes, descriptor.mediaType);
    if (document.kind === 'index') waiting.push(...document.manifests.map((one) => one.digest));
    else for (const one of [document.config, ...document.layers]) needed.add(one.digest);
    waiting.push(...(await storage.listReferrers(name, digest)).map((one) => one.digest));
  }
}

/** The kept digests and, of those that are manifests, everything below, whether or not a repository has them. */
async function contentBelow(storage: DiskRegistryStorage, keep: ReadonlySet<Digest>): Promise<Set<Digest>> {
  const below = new Set<Digest>();
  const waiting = Array.from(keep);
  for (let digest = waiting.pop(); digest !== undefined; digest = waiting.pop()) {
    const size = below.has(digest) ? undefined : await storage.blobs.has(digest);
    below.add(digest);
    // A layer is no manifest: only what is small enough for one is looked at.
    if (size === undefined || size > maximumDocumentSize) continue;
    try {
      const document = parseManifest(await readDocument(storage.blobs, { mediaType: '', digest, size }));
      if (document.kind === 'index') waiting.push(...document.manifests.map((one) => one.digest));
      else for (const one of [document.config, ...document.layers]) below.add(one.digest);
    } catch (error) {
      if (!isOciError(error) || error.code !== 'SP_OCI_DOCUMENT') throw error;
    }
  }
  return below;
}

/** Clients that went away do not say so. How many there were. */
async function dropUploads(folder: string, olderThan: Date): Promise<number> {
  let dropped = 0;
  for (const name of await namesIn(folder)) {
    const path = join(folder, name);
    if ((await isYoung(path, olderThan)) !== false) continue;
    await rm(path, { force: true }).catch((error: unknown) => {
      throw storageError(path, error);
    });
    dropped += 1;
  }
  return dropped;
}

/** Whether a repository got the content since the beginning. */
async function isLinkedNow(directory: string, digest: Digest): Promise<boolean> {
  const name = digest.slice('sha256:'.length);
  for (const repository of await listRepositories(directory)) {
    for (const kind of ['_blobs', '_manifests']) {
      if ((await isYoung(join(repositoryFolder(directory, repository, kind), name), new Date(0))) !== undefined)
        return true;
    }
  }
  return false;
}

function contentsOf(directory: string, algorithm: DigestAlgorithm, olderThan: Date): Promise<readonly Found[]> {
  return filesIn(join(directory, 'blobs', algorithm), olderThan);
}

/** The files of a folder whose names are digests; how long they are tells of which kind. */
async function filesIn(folder: string, olderThan: Date): Promise<readonly Found[]> {
  const found: Found[] = [];
  for (const name of await namesIn(folder)) {
    const digest = `${name.length === 64 ? 'sha256' : 'sha512'}:${name}`;
    const path = join(folder, name);
    const info = await stat(path).catch(() => undefined);
    if (!isDigest(digest) || info === undefined) continue;
    found.push({ digest, path, size: info.size, young: info.mtimeMs >= olderThan.getTime() });
  }
  return found;
}

function namesIn(folder: string): Promise<readonly string[]> {
  return readdir(folder).catch((error: unknown) => {
    if (isMissing(error)) return [];
    throw storageError(folder, error);
  });
}

/** Whether a file is young; `undefined` when it is not there. */
async function isYoung(path: string, olderThan: Date): Promise<boolean | undefined> {
  try {
    return (await stat(path)).mtimeMs >= olderThan.getTime();
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw storageError(path, error);
  }
}
