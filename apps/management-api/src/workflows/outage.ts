import { setTimeout as delay } from 'node:timers/promises';
import { DBOS } from '@dbos-inc/dbos-sdk';
import { and, desc, eq } from 'drizzle-orm';
import type { Transaction } from '../store/database.ts';
import { tenantEvents, tenants } from '../store/schema.ts';
import { appendEvent } from '../tenants/events.ts';
import { lockTenant } from '../tenants/operations.ts';
import { forever, StepFailed } from './step-failed.ts';
import type { WorkflowContext } from './workflow-context.ts';

const minute = 60_000;

/** How long a provider that is away is waited for unless it is said otherwise: about an hour. */
export const outagePauses: readonly number[] = Array.from({ length: 15 }, (_, pause) =>
  Math.min((minute / 4) * 2 ** pause, 5 * minute),
);

const waitSuffix = ': wait';
const tellOutageName = 'tell outage';

/** Runs a part of a step as a step of its own. */
type Part = (what: string, work: () => Promise<void>) => Promise<void>;

/** Tells a tenant's owner that its work waits, and why; returns what was told. Telling it again changes nothing. */
export async function tellOutage(
  context: WorkflowContext,
  { part, reason }: { readonly part: Part; readonly reason: string },
): Promise<string> {
  const message = `Waiting for a provider that is away, and trying again: ${reason}`;
  await part(tellOutageName, async () => {
    const tenantId = await context.findTenantId();
    await context.store.db.transaction(async (tx) => {
      const { failure } = await lockTenant(tx, tenantId);
      // Why it is suspended counts more.
      if (failure === null) await tx.update(tenants).set({ failure: message }).where(eq(tenants.id, tenantId));
      await tell(tx, { tenantId, message });
    });
  }).catch(ignoreFailure);
  return message;
}

/** Tells that the waiting is over. */
export async function tellReturn(
  context: WorkflowContext,
  { part, told }: { readonly part: Part; readonly told: string },
): Promise<void> {
  await part('tell return', async () => {
    const tenantId = await context.findTenantId();
    await context.store.db.transaction(async (tx) => {
      await lockTenant(tx, tenantId);
      const waiting = and(eq(tenants.id, tenantId), eq(tenants.failure, told));
      await tx.update(tenants).set({ failure: null }).where(waiting);
      await tell(tx, { tenantId, message: 'The provider is back: the work goes on.' });
    });
  }).catch(ignoreFailure);
}

/**
 * Whether a workflow with these recorded steps waits for a provider at a moment, in milliseconds since 1970. Once the wait
 * is over it tries again, whatever that does, though nothing more is recorded yet.
 */
export function isWaiting(
  steps: readonly { readonly name: string; readonly output?: unknown }[],
  moment: number,
): boolean {
  const last = steps.at(-1)?.name ?? '';
  if (!last.endsWith(waitSuffix) && !last.endsWith(`: ${tellOutageName}`)) return false;
  const until = steps.findLast(({ name }) => name.endsWith(waitSuffix))?.output;
  return typeof until === 'number' && until > moment;
}

/** Appends what is not the tenant's last word already. Call it with the tenant's row locked. */
async function tell(
  tx: Transaction,
  { tenantId, message }: { readonly tenantId: string; readonly message: string },
): Promise<void> {
  const [last] = await tx
    .select({ message: tenantEvents.message })
    .from(tenantEvents)
    .where(eq(tenantEvents.tenantId, tenantId))
    .orderBy(desc(tenantEvents.sequence))
    .limit(1);
  if (last?.message !== message) await appendEvent(tx, { tenantId, eventType: 'vm_provisioning_progress', message });
}

/**
 * Until when a step is waited with, in milliseconds since 1970, a quarter of the pause by chance, so that not everybody
 * who waited comes back at once; `null`: not any more. It is recorded: a process that goes on with the workflow waits for
 * what is left, whatever pauses it has itself.
 */
export async function decideWait(
  { signal }: Pick<WorkflowContext, 'signal'>,
  { step, pauseMs }: { readonly step: string; readonly pauseMs: number | undefined },
): Promise<number | null> {
  const decide = (): number | null =>
    pauseMs === undefined ? null : Date.now() + pauseMs * (0.75 + Math.random() * 0.25);
  return await DBOS.runStep(async () => decide(), { name: `${step}${waitSuffix}` }).catch(async (error: unknown) => {
    if (signal.aborted) return await forever();
    throw error;
  });
}

/**
 * Waits for a moment. The engine's own sleep would do the same with what was recorded, but nothing wakes it when the
 * engine closes, and the process would have to stay for it.
 */
export async function waitUntil({ signal }: Pick<WorkflowContext, 'signal'>, moment: number): Promise<void> {
  if (!signal.aborted) await delay(moment - Date.now(), undefined, { signal, ref: false }).catch(() => {});
  if (signal.aborted) await forever();
}

// Whoever is not told still has the work done.
function ignoreFailure(error: unknown): void {
  if (!(error instanceof StepFailed)) throw error;
}
