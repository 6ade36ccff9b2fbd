import { applyOpen, type SyncResult } from './apply-sync.ts';
import { type OpenSync, withSync } from './client/open-sync.ts';
import type { SyncPlan } from './plan/sync-plan.ts';
import { type PlanSyncOptions, planOpen } from './plan-sync.ts';

/** Options of {@link syncFiles}. */
export interface SyncFilesOptions extends PlanSyncOptions {
  /** Looks at the plan; nothing is done when it says no. @defaultValue always yes */
  readonly confirm?: ((plan: SyncPlan) => boolean | Promise<boolean>) | undefined;
}

/**
 * Plans a sync and applies it in one go: faster than the two by themselves, and no other sync of this project comes between.
 *
 * @throws {@link SyncError} as `planSync` and `applySync`
 * @example
 * const { plan, result } = await syncFiles({ root, stateDirectory, remote, direction: 'up' });
 */
export function syncFiles(
  options: SyncFilesOptions,
): Promise<{ readonly plan: SyncPlan; readonly result?: SyncResult | undefined }> {
  const { confirm } = options;
  const work = async (sync: OpenSync) => {
    const plan = await planOpen(sync, options);
    if (confirm !== undefined && !(await confirm(plan))) return { plan };
    // Whoever was asked may have taken minutes.
    return { plan, result: await applyOpen(sync, plan, options, { isFresh: confirm === undefined }) };
  };
  return withSync(options, work, { looks: true });
}
