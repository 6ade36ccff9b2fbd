import { setTimeout as delay } from 'node:timers/promises';
import { DBOS } from '@dbos-inc/dbos-sdk';
import { and, desc, eq } from 'drizzle-orm';
import type { Transaction } from '../store/database.ts';
import { tenantEvents, tenants } from '../store/schema.ts';
import { appendEvent } from '../tenants/events.ts';
import { lockTenant } from '../tenants/operations.ts';
import { forever, StepFailed } from './step-failed.ts';
import type { WorkflowContext } from './workflow-context.ts';

/** Runs a part of a step as a step of its own. */
type Part = (what: string, work: () => Promise<void>) => Promise<void>;

/** Tells a tenant's owner that its work waits, and why; returns what was told. Telling it again changes nothing. */
export async function tellOutage(
  context: WorkflowContext,
  { part, reason }: { readonly part: Part; readonly reason: string },
): Promise<string> {
  const message = `Waiting for a provider that is away, and trying again: ${reason}`;
  await part('tell outage', async () => {
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
 * Waits for a while, a quarter of it by chance, so that not everybody who waited comes back at once. The moment of its
 * end is recorded: a process that goes on with the workflow waits for what is left. The engine's own sleep does the same,
 * but cannot be woken by its end, and a process that closes would have to wait with it.
 */
export async function waitOut(
  context: WorkflowContext,
  { name, pauseMs }: { readonly name: string; readonly pauseMs: number },
): Promise<void> {
  const { signal } = context;
  const jitteredMs = pauseMs * (0.75 + Math.random() * 0.25);
  const until = await DBOS.runStep(async () => Date.now() + jitteredMs, { name });
  if (!signal.aborted) await delay(until - Date.now(), undefined, { signal, ref: false }).catch(() => {});
  if (signal.aborted) await forever();
}

// Whoever is not told still has the work done.
function ignoreFailure(error: unknown): void {
  if (!(error instanceof StepFailed)) throw error;
}
