import { createHash } from 'node:crypto';
import { type BigIntStats, statSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { isSameFile } from './file-identity.ts';
import { isMissing, storageError } from './file-write.ts';
import type { LayerEntry } from './layer-entry.ts';

/** What tells a set of entries from every other one without reading a file. */
export interface LayerFingerprint {
  /** Hexadecimal. */
  readonly key: string;
  /** When the youngest of the files changed, in milliseconds since the epoch. */
  readonly changedMs: number;
}

/**
 * Everything that changes with the content of a layer: of entries their description, of files device, inode, size, mode
 * and both times in nanoseconds. `undefined` when a file is not there, or another one: packing says so better.
 */
export async function fingerprintLayer(
  entries: readonly LayerEntry[],
  options: { readonly variant: string; readonly signal?: AbortSignal | undefined },
): Promise<LayerFingerprint | undefined> {
  const hash = createHash('sha256').update(`${options.variant}\n`);
  let changedNs = 0n;
  let lines = '';
  for (const [index, entry] of entries.entries()) {
    const { path, type, uid = 0, gid = 0 } = entry;
    const wanted = 'mode' in entry ? entry.mode : undefined;
    // With its length, so that nothing in a name can look like the next entry.
    lines += `${type} ${wanted} ${uid} ${gid} ${path.length} ${path}\n`;
    if (entry.type === 'file') {
      const stats = statOf(entry.source);
      const { identity } = entry;
      if (stats === undefined || (identity !== undefined && !isSameFile(identity, stats))) return undefined;
      const { dev, ino, size, mode, mtimeNs, ctimeNs } = stats;
      lines += `${dev} ${ino} ${size} ${mode} ${mtimeNs} ${ctimeNs}\n`;
      if (ctimeNs > changedNs) changedNs = ctimeNs;
    } else if (entry.type === 'bytes') {
      lines += `${createHash('sha256').update(entry.content).digest('hex')}\n`;
    } else if (entry.type === 'symlink') {
      lines += `${entry.target.length} ${entry.target}\n`;
    }
    // Synchronous, because a trip to the thread pool costs several times the call; but not without a pause.
    if (index % 1000 === 999) {
      hash.update(lines);
      lines = '';
      await setImmediate();
      options.signal?.throwIfAborted();
    }
  }
  return { key: hash.update(lines).digest('hex'), changedMs: Number(changedNs / 1_000_000n) };
}

function statOf(source: string): BigIntStats | undefined {
  try {
    return statSync(source, { bigint: true });
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw storageError(source, error);
  }
}
