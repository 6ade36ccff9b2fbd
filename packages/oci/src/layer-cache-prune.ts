import { randomUUID } from 'node:crypto';
import { readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { createBlobStore } from './blob-store.ts';
import { type Digest, isDigest } from './digest.ts';
import { isMissing, storageError } from './file-write.ts';
import { loadCacheEntry } from './layer-cache-entry.ts';

/** What was used or written within this time stays: another process may be working with it. */
const graceMilliseconds = 60 * 60 * 1000;

/** Makes room in a layer cache: what was not used for longest goes first, until the blobs take at most `maxBytes`. */
export async function pruneLayerCache(directory: string, maxBytes: number): Promise<void> {
  const blobs = createBlobStore(directory);
  // What a process left behind that was killed in the middle of a build.
  for (const folder of [join(directory, 'blobs'), join(directory, 'layers')]) {
    for (const { name, mtimeMs } of await filesIn(folder)) {
      if (name.startsWith('.') && isUnused(mtimeMs)) await rm(join(folder, name), { force: true });
    }
  }
  const sizes = new Map<Digest, number>();
  const usedMs = new Map<Digest, number>();
  for (const { name, size, mtimeMs } of await filesIn(join(directory, 'blobs', 'sha256'))) {
    const digest = `sha256:${name}`;
    if (!isDigest(digest)) continue;
    sizes.set(digest, size);
    usedMs.set(digest, mtimeMs);
  }
  let total = 0;
  for (const size of sizes.values()) total += size;
  if (total <= maxBytes) return;
  const entries = new Map<Digest, string[]>();
  for (const { name, mtimeMs } of await filesIn(join(directory, 'layers'))) {
    const path = join(directory, 'layers', name);
    const digest = (await loadCacheEntry(path))?.layer.descriptor.digest;
    if (digest === undefined) continue;
    entries.set(digest, [...(entries.get(digest) ?? []), path]);
    usedMs.set(digest, Math.max(mtimeMs, usedMs.get(digest) ?? 0));
  }
  const oldest = Array.from(sizes).sort(([a], [b]) => (usedMs.get(a) ?? 0) - (usedMs.get(b) ?? 0));
  for (const [digest, size] of oldest) {
    if (total <= maxBytes || !isUnused(usedMs.get(digest) ?? 0)) return;
    // The entry first: one without its blob would be asked for again and again.
    const paths = [...(entries.get(digest) ?? []), blobs.path(digest)];
    let isGone = true;
    for (const path of paths) isGone &&= await removeUnused(path, directory);
    if (isGone) total -= size;
  }
}

function isUnused(mtimeMs: number): boolean {
  return Date.now() - mtimeMs > graceMilliseconds;
}

/**
 * Removes a file unless it is used meanwhile, by a process that found it and now touches it, or by one that has made it
 * anew: out of the way first, and back when it is not the old one any more. Whether it is gone.
 */
async function removeUnused(path: string, directory: string): Promise<boolean> {
  const taken = join(directory, 'blobs', `.incoming-${randomUUID()}`);
  try {
    if (!isUnused((await stat(path)).mtimeMs)) return false;
    await rename(path, taken);
    const isGone = isUnused((await stat(taken)).mtimeMs);
    if (isGone) await rm(taken, { force: true });
    else await rename(taken, path);
    return isGone;
  } catch (error) {
    // Another process makes room too.
    if (isMissing(error)) return true;
    throw storageError(path, error);
  }
}

async function filesIn(folder: string): Promise<readonly { name: string; size: number; mtimeMs: number }[]> {
  const names = await readdir(folder).catch((error: unknown) => {
    if (isMissing(error)) return [];
    throw storageError(folder, error);
  });
  const files = await Promise.all(
    names.map(async (name) => {
      // Another process may have removed it meanwhile.
      const info = await stat(join(folder, name)).catch(() => undefined);
      return info === undefined ? [] : [{ name, size: info.size, mtimeMs: info.mtimeMs }];
    }),
  );
  return files.flat();
}
