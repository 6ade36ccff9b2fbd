import { DBOS } from '@dbos-inc/dbos-sdk';
import { and, eq, inArray, isNull, sql } from 'drizzle-orm';
import type { Store } from '../store/database.ts';
import { releases, tenantOperations, workflowRecoveries } from '../store/schema.ts';
import { isWaiting } from './outage.ts';

type Recovery = typeof workflowRecoveries.$inferSelect;

/** How long one that is tried alone keeps the others waiting, at the longest. */
const probeSeconds = 60;
const keptDays = 30;
const alive: readonly string[] = ['PENDING', 'ENQUEUED', 'DELAYED'];

/** What is to be done with the workflows that a process left. */
export interface Sorted {
  readonly resume: readonly string[];
  readonly giveUp: readonly string[];
}

/**
 * Counts for each workflow of a process that ended how often in a row that was without a step having been recorded
 * since. Those for which it was more often than `maxRecoveries` are to be given up. Of those that have their last try, one
 * at a time is to be resumed: what only ran beside the one that ends processes gets further as soon as it runs without
 * it. The others stay where they are until the next look.
 */
export async function sortLeft(
  store: Store,
  request: { readonly executorId: string; readonly workflowIds: readonly string[]; readonly maxRecoveries: number },
): Promise<Sorted> {
  const { executorId, workflowIds, maxRecoveries } = request;
  const known = await readRecoveries(store, workflowIds);
  const counted: { readonly workflowId: string; readonly recoveries: number }[] = [];
  for (const workflowId of workflowIds) {
    const recoveries = await count(store, { workflowId, executorId, before: known.get(workflowId) });
    counted.push({ workflowId, recoveries });
  }
  const giveUp = counted.filter(({ recoveries }) => recoveries > maxRecoveries).map(({ workflowId }) => workflowId);
  const resume = counted.filter(({ recoveries }) => recoveries < maxRecoveries).map(({ workflowId }) => workflowId);
  const suspect = counted.find(({ recoveries }) => recoveries === maxRecoveries);
  if (suspect !== undefined && !(await isProbing(store))) {
    const { workflowId } = suspect;
    await store.db
      .update(workflowRecoveries)
      .set({ probedAt: sql`now()` })
      .where(eq(workflowRecoveries.workflowId, workflowId));
    resume.push(workflowId);
  }
  return { resume, giveUp };
}

/** Notes the workflows that this process leaves to others in good order. */
export async function handOver(
  store: Store,
  { executorId, workflowIds }: { readonly executorId: string; readonly workflowIds: readonly string[] },
): Promise<void> {
  if (workflowIds.length === 0) return;
  await store.db
    .insert(workflowRecoveries)
    .values(workflowIds.map((workflowId) => ({ workflowId, steps: -1, handedOverBy: executorId })))
    .onConflictDoUpdate({ target: workflowRecoveries.workflowId, set: { handedOverBy: executorId } });
}

/** Notes that workflows are not tried again, and for whom they worked. */
export async function markGivenUp(store: Store, workflowIds: readonly string[]): Promise<void> {
  for (const workflowId of workflowIds) {
    const tenantId = await tenantOf(store, workflowId);
    await store.db
      .update(workflowRecoveries)
      .set({ givenUpAt: sql`now()`, tenantId: tenantId ?? null })
      .where(eq(workflowRecoveries.workflowId, workflowId));
  }
}

/** Why a workflow was given up, for the owner; `undefined` when it was not. */
export async function whyGivenUp(store: Store, workflowId: string): Promise<string | undefined> {
  const row = (await readRecoveries(store, [workflowId])).get(workflowId);
  if (row?.givenUpAt === null || row === undefined) return undefined;
  return `It ended the control plane each of the ${row.recoveries} times that it was tried, and is not tried again (workflow_given_up).`;
}

/** Forgets what is long over. */
export async function forgetRecoveries(store: Store): Promise<void> {
  await store.db
    .delete(workflowRecoveries)
    .where(sql`${workflowRecoveries.updatedAt} < now() - make_interval(days => ${keptDays})`);
}

async function count(
  store: Store,
  request: { readonly workflowId: string; readonly executorId: string; readonly before: Recovery | undefined },
): Promise<number> {
  const { workflowId, executorId, before } = request;
  // Counted at an earlier look, and not resumed since.
  if (before?.executorId === executorId) return before.recoveries;
  const recorded = (await DBOS.listWorkflowSteps(workflowId)) ?? [];
  const steps = recorded.length;
  const hasMoved = before === undefined || steps > before.steps;
  // One that only waits for a provider ends no process.
  const isGuiltless = before?.handedOverBy === executorId || isWaiting(recorded, Date.now());
  const recoveries = (hasMoved ? 0 : before.recoveries) + (isGuiltless ? 0 : 1);
  const values = { steps, recoveries, executorId, probedAt: null, updatedAt: sql`now()` };
  await store.db
    .insert(workflowRecoveries)
    .values({ workflowId, ...values })
    .onConflictDoUpdate({ target: workflowRecoveries.workflowId, set: values });
  return recoveries;
}

/** Whether a suspect is being tried now, and has not shown yet that it is not the one. */
async function isProbing(store: Store): Promise<boolean> {
  const since = sql`${workflowRecoveries.probedAt} > now() - make_interval(secs => ${probeSeconds})`;
  const rows = await store.db
    .select()
    .from(workflowRecoveries)
    .where(and(since, isNull(workflowRecoveries.givenUpAt)));
  for (const { workflowId, steps } of rows) {
    const workflow = await DBOS.getWorkflowStatus(workflowId);
    if (workflow === null || !alive.includes(workflow.status)) continue;
    const recorded = (await DBOS.listWorkflowSteps(workflowId)) ?? [];
    if (recorded.length <= steps) return true;
  }
  return false;
}

async function readRecoveries(store: Store, workflowIds: readonly string[]): Promise<ReadonlyMap<string, Recovery>> {
  if (workflowIds.length === 0) return new Map();
  const rows = await store.db
    .select()
    .from(workflowRecoveries)
    .where(inArray(workflowRecoveries.workflowId, [...workflowIds]));
  return new Map(rows.map((row) => [row.workflowId, row]));
}

async function tenantOf(store: Store, workflowId: string): Promise<string | undefined> {
  const [kind, id = ''] = workflowId.split(':');
  if (kind === 'provision') return id;
  const table = kind === 'deploy' ? releases : tenantOperations;
  const [row] = await store.db.select({ tenantId: table.tenantId }).from(table).where(eq(table.id, id));
  return row?.tenantId;
}
