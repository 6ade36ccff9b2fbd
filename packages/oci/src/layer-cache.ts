import { stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { type BlobStore, createBlobStore } from './blob-store.ts';
import { digestOfStream } from './digest.ts';
import { isMissing, storageError } from './file-write.ts';
import type { BuiltLayer } from './layer.ts';
import { loadCacheEntry, saveCacheEntry } from './layer-cache-entry.ts';
import { pruneLayerCache } from './layer-cache-prune.ts';
import type { LayerEntry } from './layer-entry.ts';
import { fingerprintLayer } from './layer-fingerprint.ts';

/** Options of {@link createLayerCache}. */
export interface LayerCacheOptions {
  /** Where everything is: a blob store, and what is known about its layers in `layers`. Made when it is not there. */
  readonly directory: string;
  /**
   * How much the blobs may take. Beyond it the layers go that were not used for longest, but none of the last hour:
   * another process may be pushing it. @defaultValue 4 GiB
   */
  readonly maxBytes?: number | undefined;
}

/** Options of {@link LayerCache.get}. */
export interface LayerCacheGetOptions {
  /** Tells apart layers of the same entries that were made in different ways. @defaultValue 'gzip' */
  readonly variant?: string | undefined;
  /** Makes the layer, in the cache's blob store, when it is not known. */
  readonly build: () => Promise<BuiltLayer>;
  /** Gives up the looking and the building. */
  readonly signal?: AbortSignal | undefined;
}

/** Remembers which layer came of which files, so that files that did not change are not even read. Several processes may use one. */
export interface LayerCache {
  /** Where the layers are. */
  readonly blobs: BlobStore;
  /**
   * The layer of these entries: a remembered one that is still whole, or what `build` makes.
   *
   * @throws {@link OciError} what `build` throws, `SP_OCI_STORAGE`
   */
  get(entries: Iterable<LayerEntry>, options: LayerCacheGetOptions): Promise<BuiltLayer>;
}

/** How long a file must have rested to be recognised: two changes within one tick of the disk's clock look alike. */
const settledMilliseconds = 1000;

/**
 * Opens a layer cache. Use it through `buildLayer(entries, { blobs: cache.blobs, cache })`.
 *
 * A layer is recognised by the stat of its files and verified by the stat of its blob; a blob that was touched since is
 * read and checked. What is damaged or missing is built again.
 */
export function createLayerCache({ directory, maxBytes = 4 * 1024 ** 3 }: LayerCacheOptions): LayerCache {
  const blobs = createBlobStore(directory);
  const fileOf = (key: string): string => join(directory, 'layers', `${key}.json`);

  /** The remembered layer, if its blob is still what it was. */
  const recall = async (key: string): Promise<BuiltLayer | undefined> => {
    const known = await loadCacheEntry(fileOf(key));
    if (known === undefined) return undefined;
    const { digest, size } = known.layer.descriptor;
    // When it was last used, for who makes room: said before anything is looked at, so that it stays from then on.
    if (!(await touch(fileOf(key)))) return undefined;
    const stamp = await blobStamp(blobs, known.layer);
    if (stamp === undefined) return undefined;
    if (stamp !== known.stamp) {
      if ((await blobs.has(digest)) !== size || (await digestOfStream(await blobs.read(digest), digest)) !== digest) {
        await blobs.delete(digest);
        return undefined;
      }
      await saveCacheEntry(fileOf(key), { layer: known.layer, stamp });
    }
    return known.layer;
  };

  return {
    blobs,
    async get(entries, { variant = 'gzip', build, signal }) {
      const list = Array.from(entries);
      const before = await fingerprintLayer(list, { variant, signal });
      const known = before === undefined ? undefined : await recall(before.key);
      if (known !== undefined) return known;
      const started = Date.now();
      const layer = await build();
      const after = await fingerprintLayer(list, { variant, signal });
      const rested = after !== undefined && after.changedMs < started - settledMilliseconds;
      if (after === undefined || after.key !== before?.key || !rested) return layer;
      const stamp = await blobStamp(blobs, layer);
      if (stamp !== undefined) {
        await saveCacheEntry(fileOf(after.key), { layer, stamp });
        await pruneLayerCache(directory, maxBytes);
      }
      return layer;
    },
  };
}

/** Whether it is there. A cache on a read-only disk works all the same. */
async function touch(path: string): Promise<boolean> {
  try {
    const now = new Date();
    await utimes(path, now, now);
    return true;
  } catch (error) {
    return !isMissing(error);
  }
}

/** What changes when somebody touches a blob; `undefined` when it is not there. */
async function blobStamp(blobs: BlobStore, { descriptor }: BuiltLayer): Promise<string | undefined> {
  const path = blobs.path(descriptor.digest);
  try {
    const { ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true });
    return [ino, size, mtimeNs, ctimeNs].join();
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw storageError(path, error);
  }
}
