import { randomUUID } from 'node:crypto';
import { type OpenSync, withSync } from './client/open-sync.ts';
import { agree, baseOf, moveBase } from './client/sync-base.ts';
import type { SyncConflict, SyncDirection, SyncPlan, SyncResolution } from './plan/sync-plan.ts';
import { compareTrees } from './plan/three-way.ts';
import { SyncError } from './sync-error.ts';
import type { SyncOptions } from './sync-options.ts';

/** Options of {@link planSync}. */
export interface PlanSyncOptions extends SyncOptions {
  /** @defaultValue 'both' */
  readonly direction?: SyncDirection | undefined;
  /** What to do with files that changed on both sides; a function is asked for each. @defaultValue 'leave' */
  readonly resolve?:
    | SyncResolution
    | ((conflict: Omit<SyncConflict, 'resolution' | 'twin'>) => SyncResolution)
    | undefined;
  /** Whether a file that one side deleted is deleted on the other. @defaultValue false */
  readonly delete?: boolean | undefined;
}

/**
 * Says exactly what a sync would do, and changes no file on either side.
 *
 * @throws {@link SyncError} `SP_SYNC_UNAUTHORIZED`, `SP_SYNC_REMOTE`, `SP_SYNC_NETWORK`, `SP_SYNC_UNSAFE_PATH` and
 * `SP_SYNC_DAMAGED` (the tenant's answer), `SP_SYNC_TOO_LARGE`, `SP_SYNC_LOCKED`, `SP_SYNC_STORAGE`, `SP_SYNC_ABORTED`
 * @example
 * const plan = await planSync({ root, stateDirectory, remote, direction: 'up' });
 * console.log(plan.up.map((change) => change.path), plan.conflicts.length);
 */
export function planSync(options: PlanSyncOptions): Promise<SyncPlan> {
  return withSync(options, (sync) => planOpen(sync, options), { looks: true });
}

/** The same for a project that is open already. */
export async function planOpen(sync: OpenSync, options: PlanSyncOptions): Promise<SyncPlan> {
  const { direction = 'both', resolve = 'leave', delete: deletes = false } = options;
  const { isIgnored, limits } = sync;
  const base = await sync.loadBase();
  const { local, remoteFiles, remote } = await sync.look(base);
  const moved = base === undefined || remoteFiles.changed ? moveBase(base, remoteFiles) : base;
  const { agreed, ...compared } = compareTrees({
    local: local.files,
    remote: remoteFiles.files,
    base: (path) => baseOf(moved, path),
    // All others are of the tenant's tree.
    basePaths: moved.overrides.keys(),
    skipped: { local: local.skipped, remote: remoteFiles.skipped },
    isIgnored,
    direction,
    resolve: typeof resolve === 'function' ? resolve : () => resolve,
    delete: deletes,
    refusal: (change) => remote.refusal(change),
  });
  // Not a change of a file: both sides have the same, so that is what they agree on.
  const settled =
    agreed.length === 0
      ? moved
      : agree(
          moved,
          agreed.map((path) => [path, local.files.get(path)]),
        );
  if (settled !== base) await sync.saveBase(settled);
  const { up, down } = compared;
  const bytesUp = bytesOf(up);
  const bytesDown = bytesOf(down);
  if (bytesUp > limits.maxBytes || bytesDown > limits.maxBytes) {
    throw new SyncError('SP_SYNC_TOO_LARGE', `Cannot sync: more than ${limits.maxBytes} bytes would travel`);
  }
  return {
    id: randomUUID(),
    protocol: remote.protocol,
    direction,
    remoteTree: remoteFiles.tree,
    ...compared,
    bytesUp,
    bytesDown,
  };
}

function bytesOf(changes: SyncPlan['up']): number {
  return changes.reduce((sum, { after }) => sum + (after?.size ?? 0), 0);
}
