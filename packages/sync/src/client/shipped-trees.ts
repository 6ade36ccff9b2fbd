import { join } from 'node:path';
import { isSameFile, type Manifest } from '../file-facts.ts';
import { createKnownTrees, type KnownTrees } from '../tree/known-trees.ts';
import { agree, type SyncBase } from './sync-base.ts';

/** Releases that can still be told from edits: about as many as a server keeps. */
const kept = 20;

/** The trees that the project shipped to its tenant. */
export function shippedTrees(stateDirectory: string): KnownTrees {
  return createKnownTrees(join(stateDirectory, 'shipped'), { kept });
}

/**
 * The same agreements, and besides those that come from a release: what the tenant has of one that this project shipped was
 * changed by nobody there, whichever release runs now. Of all releases the one that explains most of it counts.
 */
export function agreeOnShipped(base: SyncBase, shipped: readonly Manifest[]): SyncBase {
  const differing = Array.from(base.overrides.keys());
  let explained: readonly string[] = [];
  for (const files of shipped) {
    const same = differing.filter((path) => isSameFile(files.get(path), base.remote.get(path)));
    if (same.length > explained.length) explained = same;
  }
  if (explained.length === 0) return base;
  return agree(
    base,
    explained.map((path) => [path, base.remote.get(path)]),
  );
}
