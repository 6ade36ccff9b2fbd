import { readFile } from 'node:fs/promises';
import { isDigest } from './digest.ts';
import { writeFileAtomic } from './file-write.ts';
import type { BuiltLayer } from './layer.ts';
import { isObject } from './wire.ts';

/** What a layer cache knows about one layer. */
export interface CacheEntry {
  readonly layer: BuiltLayer;
  /** What the blob's stat was when its content was last known to be right. */
  readonly stamp: string;
}

export function saveCacheEntry(path: string, { layer, stamp }: CacheEntry): Promise<void> {
  const { mediaType, digest, size } = layer.descriptor;
  const document = { version: 1, media_type: mediaType, digest, size, diff_id: layer.diffId, stamp };
  return writeFileAtomic(path, JSON.stringify(document), { isDurable: false });
}

/** An entry that cannot be read is none. */
export async function loadCacheEntry(path: string): Promise<CacheEntry | undefined> {
  let json: unknown;
  try {
    json = JSON.parse(await readFile(path, 'utf8'));
  } catch {
    return undefined;
  }
  if (!isObject(json) || json['version'] !== 1) return undefined;
  const { media_type: mediaType, digest, size, diff_id: diffId, stamp } = json;
  if (typeof digest !== 'string' || !isDigest(digest) || typeof diffId !== 'string' || !isDigest(diffId)) {
    return undefined;
  }
  if (typeof mediaType !== 'string' || typeof stamp !== 'string' || !Number.isSafeInteger(size)) return undefined;
  return { layer: { descriptor: { mediaType, digest, size: size as number }, diffId }, stamp };
}
