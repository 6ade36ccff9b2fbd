import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type BlobStore, type BuiltLayer, type Digest, isDigest, type LayerEntry } from '@sp/oci';
import * as z from 'zod/mini';

/** Remembers which layer came of which files, so that files that did not change are not packed again. */
export interface LayerCache {
  /** The layer of these entries: a remembered one, or what `build` makes. */
  get(entries: readonly LayerEntry[], build: () => Promise<BuiltLayer>): Promise<BuiltLayer>;
}

const digestSchema = z.custom<Digest>((value) => typeof value === 'string' && isDigest(value));
const builtLayerSchema: z.ZodMiniType<BuiltLayer> = z.object({
  descriptor: z.object({ mediaType: z.string(), digest: digestSchema, size: z.int() }),
  diffId: digestSchema,
});

/** How long a file must be unchanged to be recognised: two changes within one tick of the disk's clock look alike. */
const settledMs = 1000;

/** Opens the cache in `<directory>/layers`; the layers themselves are in `blobs`. */
export function createLayerCache(directory: string, blobs: BlobStore): LayerCache {
  return {
    async get(entries, build) {
      const before = await fingerprint(entries);
      const path = join(directory, 'layers', `${before.key}.json`);
      const known = await load(path);
      if (known !== undefined && (await blobs.has(known.descriptor.digest)) === known.descriptor.size) return known;
      const started = Date.now();
      const layer = await build();
      const after = await fingerprint(entries);
      if (after.key === before.key && after.changedMs < started - settledMs) await save(path, layer);
      return layer;
    },
  };
}

/** Everything about the files that changes with their content, without reading them. */
async function fingerprint(entries: readonly LayerEntry[]): Promise<{ key: string; changedMs: number }> {
  const hash = createHash('sha256').update('1');
  let changedMs = 0;
  for (const entry of entries) {
    hash.update(JSON.stringify([entry.path, entry.type, 'mode' in entry ? entry.mode : 0, entry.uid, entry.gid]));
    if (entry.type !== 'file') continue;
    const stats = await stat(entry.source, { bigint: true });
    hash.update([stats.dev, stats.ino, stats.size, stats.mtimeNs, stats.ctimeNs].join());
    changedMs = Math.max(changedMs, Number(stats.ctimeMs));
  }
  return { key: hash.digest('hex'), changedMs };
}

/** A cache that cannot be read is an empty one. */
async function load(path: string): Promise<BuiltLayer | undefined> {
  try {
    return builtLayerSchema.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch {
    return undefined;
  }
}

async function save(path: string, layer: BuiltLayer): Promise<void> {
  const temporary = `${path}.${randomUUID()}`;
  await mkdir(dirname(path), { recursive: true });
  try {
    await writeFile(temporary, JSON.stringify(layer));
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}
