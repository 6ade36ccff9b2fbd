import type { PlanSyncOptions, SyncDirection, SyncPlan, SyncResolution, SyncResult } from '@sp/sync';
import { dim } from 'ansis';
import { CliError } from '../cli-error.ts';
import type { Context } from '../context.ts';
import { exitCodes } from '../exit-codes.ts';
import { count } from '../output/count.ts';
import { shellWord } from '../shell-words.ts';
import { findSync } from './find-sync.ts';
import { renderConflict, renderPlan } from './render-sync.ts';

/** What `cloud sync up` and `cloud sync down` answer. */
export interface SyncRunResult {
  readonly tenantId: string;
  readonly tenantName: string;
  /** Names the sync for `cloud sync undo`; absent when nothing was done. */
  readonly id?: string | undefined;
  readonly dryRun: boolean;
  readonly protocol: 'manifest' | 'tarball';
  /** Paths changed in the tenant; with `dryRun`, that would be. */
  readonly up: readonly string[];
  /** Paths changed in the project; with `dryRun`, that would be. */
  readonly down: readonly string[];
  /** Paths that changed on both sides and were left alone. */
  readonly conflicts: readonly string[];
  /** Paths that differ and were left for another reason. */
  readonly left: readonly { readonly path: string; readonly reason: string }[];
}

/** The flags of both commands. */
export interface SyncFlags {
  readonly tenant?: string | undefined;
  readonly profile?: string | undefined;
  readonly ours: boolean;
  readonly theirs: boolean;
  readonly 'keep-both': boolean;
  readonly delete: boolean;
  readonly 'dry-run'?: boolean | undefined;
}

/** Syncs in one direction, and sets the exit code: 9 for a dry run with changes, 11 when conflicts are left. */
export async function runSync(
  context: Context,
  options: {
    readonly direction: Exclude<SyncDirection, 'both'>;
    readonly flags: SyncFlags;
    readonly command: string;
    readonly log: (text: string) => void;
    /** Completes a command line with what the person chose. */
    readonly goOn: (text: string) => Promise<string>;
  },
): Promise<SyncRunResult> {
  const { direction, flags, command, log, goOn } = options;
  const { tenant, profile } = flags;
  // oclif leaves out a flag that was not given.
  const dryRun = flags['dry-run'] ?? false;
  const target = await findSync(context, { tenant, profile, command });
  const { applySync, planSync } = await import('@sp/sync');
  const step = context.progress.step('plan', `Comparing this project with ${target.label}`);
  let plan: SyncPlan;
  try {
    const wanted: PlanSyncOptions = { ...target.options, direction, delete: flags.delete };
    plan = await planSync({ ...wanted, resolve: resolutionOf(flags) });
    step.done();
    const open = plan.conflicts.filter(({ resolution }) => resolution === 'leave');
    if (open.length > 0 && context.interactive && !dryRun) {
      const chosen = await askResolutions(context, open);
      plan = await planSync({ ...wanted, resolve: ({ path }) => chosen.get(path) ?? 'leave' });
    }
  } catch (error) {
    step.fail();
    throw error;
  }
  log(renderPlan(plan));
  const result = dryRun ? undefined : await apply(context, plan, () => applySync(plan, target.options));
  const conflicts = plan.conflicts.filter(({ resolution }) => resolution === 'leave').map(({ path }) => path);
  const up = result?.up ?? plan.up.map(({ path }) => path);
  const down = result?.down ?? plan.down.map(({ path }) => path);
  if (dryRun && up.length + down.length + conflicts.length > 0) process.exitCode = exitCodes.changesPending;
  else if (conflicts.length > 0 || (result?.left.length ?? 0) > 0) process.exitCode = exitCodes.partlyDone;
  const moved = (result?.left ?? []).map((path) => ({ path, reason: 'it changed in this moment' }));
  const left = [...plan.left.map(({ path, reason }) => ({ path, reason })), ...moved];
  const { id: tenantId, name: tenantName } = target;
  if (conflicts.length > 0) {
    const decide = `${command}${flags.delete ? ' --delete' : ''} --ours`;
    log(`Decide with ${await goOn(decide)} (this project's), --theirs (the tenant's) or --keep-both`);
  }
  if (result !== undefined && result.up.length + result.down.length > 0)
    log(dim(`To take it back: ${await goOn(`${context.bin} cloud sync undo ${shellWord(result.id)}`)}`));
  const id = up.length + down.length > 0 ? result?.id : undefined;
  return { tenantId, tenantName, id, dryRun, protocol: plan.protocol, up, down, conflicts, left };
}

function resolutionOf(flags: SyncFlags): SyncResolution {
  if (flags.ours) return 'ours';
  if (flags.theirs) return 'theirs';
  return flags['keep-both'] ? 'keep-both' : 'leave';
}

async function apply(
  context: Context,
  plan: SyncPlan,
  work: () => Promise<SyncResult>,
): Promise<SyncResult | undefined> {
  if (plan.up.length + plan.down.length === 0 && plan.conflicts.every(({ resolution }) => resolution === 'leave'))
    return undefined;
  const step = context.progress.step('sync', 'Syncing');
  try {
    const result = await work();
    step.done(`Changed ${count(result.up.length, 'file')} in the tenant and ${result.down.length} here`);
    return result;
  } catch (error) {
    step.fail();
    throw error;
  }
}

async function askResolutions(
  context: Context,
  conflicts: SyncPlan['conflicts'],
): Promise<ReadonlyMap<string, SyncResolution>> {
  const { askSelect } = await import('../prompts.ts');
  const chosen = new Map<string, SyncResolution>();
  for (const conflict of conflicts) {
    context.progress.note(renderConflict(conflict));
    const answer = await askSelect({
      message: `Which version of ${conflict.path}?`,
      options: [
        { value: 'leave', label: 'Leave both as they are' },
        { value: 'ours', label: "This project's" },
        { value: 'theirs', label: "The tenant's" },
        { value: 'keep-both', label: 'Both, under two names' },
      ],
    });
    if (!isResolution(answer)) throw new CliError('SP_CLI_CANCELLED', 'Nothing was changed');
    chosen.set(conflict.path, answer);
  }
  return chosen;
}

function isResolution(value: string): value is SyncResolution {
  return value === 'ours' || value === 'theirs' || value === 'keep-both' || value === 'leave';
}
