import { eq } from 'drizzle-orm';
import { customDomains, tenantKeys, tenantSecrets, tenants } from '../store/schema.ts';
import { appendEvent } from '../tenants/events.ts';
import { closeOperation, lockTenant } from '../tenants/operations.ts';
import { nextState } from '../tenants/state.ts';
import type { OperationInput } from './run-operation.ts';
import { runStep } from './step.ts';
import type { WorkflowContext } from './workflow-context.ts';

/**
 * Deletes everything of a tenant but its row and its events. The subscription comes first: nobody pays for what is
 * gone. One that fails half-way is begun again by the next request.
 */
export async function deleteTenant(context: WorkflowContext, { operationId, tenant }: OperationInput): Promise<void> {
  const { store, billing, machines, databases, images, logger } = context;
  const { id: tenantId, subscriptionId } = tenant;
  const step = (name: string, work: () => Promise<void>): Promise<void> => runStep(context, { name }, work);

  await step('cancel subscription', async () => {
    if (subscriptionId !== null && tenant.subscriptionStatus !== 'canceled') {
      await billing.cancelSubscription(subscriptionId);
    }
  });
  await step('remove machines', () => machines.removeApp(tenant.appName));
  await step('drop database', async () => {
    const { keptRoles } = await databases.drop(tenant.databaseName);
    // Nobody enters with them, and each comparison with the server tells of them: no reason to keep all the rest.
    if (keptRoles.length > 0) logger.warn({ tenantId, keptRoles }, 'roles of a deleted tenant own something elsewhere');
  });
  await step('remove images', () => images.remove(tenantId));
  await step('finish deletion', () =>
    store.db.transaction(async (tx) => {
      const { state } = await lockTenant(tx, tenantId);
      if (state === 'deleted') return;
      await tx.delete(tenantSecrets).where(eq(tenantSecrets.tenantId, tenantId));
      await tx.delete(tenantKeys).where(eq(tenantKeys.tenantId, tenantId));
      await tx.delete(customDomains).where(eq(customDomains.tenantId, tenantId));
      await tx.update(tenants).set({ currentReleaseId: null, failure: null }).where(eq(tenants.id, tenantId));
      await appendEvent(tx, { tenantId, eventType: 'tenant_deleted', state: nextState(state, 'deletion_finished') });
      await closeOperation(tx, { id: operationId });
    }),
  );
}
