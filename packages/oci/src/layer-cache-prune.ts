import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { createBlobStore } from './blob-store.ts';
import { type Digest, isDigest } from './digest.ts';
import { isMissing, storageError } from './file-write.ts';
import { loadCacheEntry } from './layer-cache-entry.ts';

/** What was used within this time stays: another process may be working with it. */
const graceMilliseconds = 60 * 60 * 1000;
const abandonedMilliseconds = 24 * graceMilliseconds;

/** Makes room in a layer cache: what was not used for longest goes first, until the blobs take at most `maxBytes`. */
export async function pruneLayerCache(directory: string, maxBytes: number): Promise<void> {
  const blobs = createBlobStore(directory);
  for (const { name, mtimeMs } of await filesIn(join(directory, 'blobs'))) {
    // What a process left behind that ended in the middle of a build.
    if (name.startsWith('.incoming-') && Date.now() - mtimeMs > abandonedMilliseconds) {
      await rm(join(directory, 'blobs', name), { force: true });
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
    if (total <= maxBytes || Date.now() - (usedMs.get(digest) ?? 0) < graceMilliseconds) return;
    // The entry first: one without its blob would be asked for again and again.
    for (const path of entries.get(digest) ?? []) await rm(path, { force: true });
    await blobs.delete(digest);
    total -= size;
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
