import { and, eq, inArray, sql } from 'drizzle-orm';
import { tenants } from '../store/schema.ts';
import { closeOperation, findOpenOperation, insertOperation, lockTenant } from '../tenants/operations.ts';
import type { OperationInput } from './run-operation.ts';
import { runStep } from './step.ts';
import type { WorkflowContext } from './workflow-context.ts';

const suspendable = ['running', 'awaiting_deploy'];

/** Stops the machines of a tenant that is not paid for any more. Its data and its images stay. */
export async function suspendTenant(context: WorkflowContext, { operationId, tenant }: OperationInput): Promise<void> {
  const { machines, store } = context;
  await runStep(context, { name: 'stop machines' }, async () => {
    for (const { releaseId } of await machines.list(tenant.appName)) await machines.stop(tenant.appName, releaseId);
  });
  await runStep(context, { name: 'finish suspension' }, () => closeOperation(store.db, { id: operationId }));
}

/**
 * Opens the suspension of a tenant whose subscription has ended. Nothing to do: `undefined`; also while something else
 * is being done to the tenant, which looks here when it is done.
 */
export async function openSuspension(
  { store }: Pick<WorkflowContext, 'store'>,
  tenantId: string,
): Promise<string | undefined> {
  return await store.db.transaction(async (tx) => {
    const tenant = await lockTenant(tx, tenantId);
    if (tenant.subscriptionStatus !== 'canceled' || !suspendable.includes(tenant.state)) return undefined;
    if ((await findOpenOperation(tx, tenantId)) !== undefined) return undefined;
    const { id } = await insertOperation(tx, { tenant, kind: 'suspend' });
    await tx
      .update(tenants)
      .set({ failure: 'The subscription has ended.', updatedAt: sql`now()` })
      .where(eq(tenants.id, tenantId));
    return id;
  });
}

/** Tenants whose subscription has ended and that still run. */
export async function findUnpaid({ store }: Pick<WorkflowContext, 'store'>): Promise<readonly string[]> {
  const rows = await store.db
    .select({ id: tenants.id })
    .from(tenants)
    .where(and(eq(tenants.subscriptionStatus, 'canceled'), inArray(tenants.state, suspendable)));
  return rows.map(({ id }) => id);
}
