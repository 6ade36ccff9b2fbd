import { createIgnored } from './client/open-sync.ts';
import { shippedTrees } from './client/shipped-trees.ts';
import { withDefaults } from './limits.ts';
import { defaultIgnore, type SyncOptions } from './sync-options.ts';
import { openTree } from './tree/open-tree.ts';
import { treeHash } from './tree/tree-hash.ts';

/**
 * Remembers the project's files as those of a release, before it is shipped. Whenever the tenant has them later, because the
 * release was interrupted and finished, or brought back, a sync knows that nobody changed them there. The tenant is not asked.
 *
 * @throws {@link SyncError} `SP_SYNC_LOCKED`, `SP_SYNC_TOO_LARGE`, `SP_SYNC_STORAGE`, `SP_SYNC_ABORTED`
 * @example
 * await rememberShipped({ root, stateDirectory });
 */
export async function rememberShipped(options: Omit<SyncOptions, 'remote' | 'onEvent' | 'keep'>): Promise<void> {
  const { root, stateDirectory, signal, ignore = defaultIgnore } = options;
  const isIgnored = await createIgnored(ignore);
  const tree = await openTree({ root, stateDirectory, limits: withDefaults(options.limits), signal });
  try {
    const { files } = await tree.scan({ isIgnored, ignored: JSON.stringify(ignore) });
    const shipped = new Map(Array.from(files).filter(([path]) => !isIgnored(path)));
    await shippedTrees(stateDirectory).add(treeHash(shipped), shipped);
  } finally {
    await tree.close();
  }
}
