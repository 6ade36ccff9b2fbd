import { randomUUID } from 'node:crypto';
import { type OpenSync, type SeenSides, withSync } from './client/open-sync.ts';
import { agreeOnShipped } from './client/shipped-trees.ts';
import { agree, baseOf, moveBase } from './client/sync-base.ts';
import type { SyncConflict, SyncDirection, SyncPlan, SyncResolution } from './plan/sync-plan.ts';
import { compareTrees } from './plan/three-way.ts';
import { SyncError } from './sync-error.ts';
import type { SyncOptions } from './sync-options.ts';

/** Options of {@link planSync}. */
export interface PlanSyncOptions extends SyncOptions {
  /** Which way files go. @defaultValue 'both' */
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
 * `SP_SYNC_DAMAGED` (the tenant's answer), `SP_SYNC_BASE_DAMAGED` (this side's record of the last sync; without the file,
 * every difference is a conflict), `SP_SYNC_TOO_LARGE`, `SP_SYNC_LOCKED`, `SP_SYNC_STORAGE`, `SP_SYNC_ABORTED`
 * @example
 * const plan = await planSync({ root, stateDirectory, remote, direction: 'up' });
 * console.log(plan.up.map((change) => change.path), plan.conflicts.length);
 */
export function planSync(options: PlanSyncOptions): Promise<SyncPlan> {
  return withSync(options, (sync) => planOpen(sync, options), { looks: true });
}

/** The same for a project that is open already. */
export async function planOpen(sync: OpenSync, options: PlanSyncOptions): Promise<SyncPlan> {
  const { direction = 'both' } = options;
  const seen = await sync.look();
  const { local, remote } = seen;
  const tree = seen.only?.size === 0 ? await sync.agreedTree() : undefined;
  // Nothing changed on either side: a comparison would find nothing.
  const compared =
    tree === undefined
      ? await compareSides(sync, { seen, options })
      : { ...nothing, unchanged: local.count, remoteTree: tree };
  const bytesUp = bytesOf(compared.up);
  const bytesDown = bytesOf(compared.down);
  const { maxBytes } = sync.limits;
  if (bytesUp > maxBytes || bytesDown > maxBytes) {
    throw new SyncError('SP_SYNC_TOO_LARGE', `Cannot sync: more than ${maxBytes} bytes would travel`);
  }
  return { id: randomUUID(), protocol: remote.protocol, direction, ...compared, bytesUp, bytesDown };
}

type Compared = Pick<SyncPlan, 'up' | 'down' | 'conflicts' | 'left' | 'unchanged' | 'remoteTree'>;

const nothing = { up: [], down: [], conflicts: [], left: [] } as const;

/** Compares both sides with what they agreed on last, and writes down what they agree on anew. */
async function compareSides(
  sync: OpenSync,
  { seen, options }: { readonly seen: SeenSides; readonly options: PlanSyncOptions },
): Promise<Compared> {
  const { direction = 'both', resolve = 'leave', delete: deletes = false } = options;
  const { isIgnored } = sync;
  const { local, remote, only } = seen;
  const base = await sync.loadBase();
  const remoteFiles = await seen.remoteFiles(base);
  const seenNow = base === undefined || remoteFiles.changed ? moveBase(base, remoteFiles) : base;
  const moved = seenNow.overrides.size === 0 ? seenNow : agreeOnShipped(seenNow, await sync.loadShipped());
  const { agreed, ...compared } = compareTrees({
    local: local.files,
    remote: remoteFiles.files,
    base: (path) => baseOf(moved, path),
    // All others are of the tenant's tree.
    basePaths: moved.overrides.keys(),
    only,
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
  sync.settle(settled);
  return { ...compared, remoteTree: remoteFiles.tree };
}

function bytesOf(changes: SyncPlan['up']): number {
  return changes.reduce((sum, { after }) => sum + (after?.size ?? 0), 0);
}
