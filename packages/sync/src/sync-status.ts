import type { SyncConflict } from './plan/sync-plan.ts';
import { planSync } from './plan-sync.ts';
import type { SyncOptions } from './sync-options.ts';

/** How project and tenant differ. */
export interface SyncStatus {
  /** Paths that the project changed, added or deleted since the last sync. */
  readonly localChanges: readonly string[];
  /** Paths that the tenant changed, added or deleted since the last sync: a deploy of the project would lose them. */
  readonly remoteChanges: readonly string[];
  /** Paths that changed on both sides. */
  readonly conflicts: readonly SyncConflict[];
  /** Whether both sides are the same. */
  readonly inSync: boolean;
}

/**
 * Says how project and tenant differ, and changes no file on either side.
 *
 * @throws {@link SyncError} as `planSync`
 * @example
 * const { remoteChanges } = await getSyncStatus({ root, stateDirectory, remote });
 */
export async function getSyncStatus(options: SyncOptions): Promise<SyncStatus> {
  const { up, down, conflicts, left } = await planSync({ ...options, delete: true, direction: 'both' });
  // What a tenant cannot take is a change of the project all the same.
  const refused = left.filter(({ side, reason }) => side === 'remote' && reason.startsWith('the tenant'));
  const localChanges = [...up, ...refused].map(({ path }) => path).sort();
  const remoteChanges = down.map(({ path }) => path).sort();
  const inSync = localChanges.length + remoteChanges.length + conflicts.length === 0;
  return { localChanges, remoteChanges, conflicts, inSync };
}
