import { type BlobStore, type BuiltLayer, createLayerCache as createOciLayerCache, type LayerEntry } from '@sp/oci';

/** Remembers which layer came of which files, so that files that did not change are not packed again. */
export interface LayerCache {
  /** The layer of these entries: a remembered one, or what `build` makes. */
  get(entries: readonly LayerEntry[], build: () => Promise<BuiltLayer>): Promise<BuiltLayer>;
}

/** Opens the cache in `<directory>/layers`; `blobs`, where `build` puts the layers, is the blob store of the same folder. */
export function createLayerCache(directory: string, _blobs: BlobStore): LayerCache {
  const cache = createOciLayerCache({ directory });
  return { get: (entries, build) => cache.get(entries, { build }) };
}
