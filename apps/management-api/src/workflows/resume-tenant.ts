import { eq } from 'drizzle-orm';
import { tenants } from '../store/schema.ts';
import { appendEvent } from '../tenants/events.ts';
import { closeOperation, lockTenant } from '../tenants/operations.ts';
import { nextState } from '../tenants/state.ts';
import type { Health } from './health.ts';
import { startMachine } from './restart-machine.ts';
import type { OperationInput } from './run-operation.ts';
import { runStep } from './step.ts';
import type { WorkflowContext } from './workflow-context.ts';

/**
 * Starts the machine of a suspended tenant with the release that ran last; a tenant without a release waits for one
 * again. A machine that is not healthy is its owner's to mend, with a deploy: the tenant counts as running.
 */
export async function resumeTenant(context: WorkflowContext, input: OperationInput): Promise<void> {
  const { tenant } = input;
  const releaseId = tenant.currentReleaseId;
  const health =
    releaseId === null
      ? null
      : await runStep(context, { name: 'start machine again', attempts: 3 }, () =>
          startMachine(context, { tenantId: tenant.id, releaseId }),
        );
  await runStep(context, { name: 'finish resumption' }, () => finish(context, { ...input, health }));
}

async function finish(
  { store, appUrl }: WorkflowContext,
  request: OperationInput & { readonly health: Health | null },
): Promise<void> {
  const { operationId, health } = request;
  const tenantId = request.tenant.id;
  await store.db.transaction(async (tx) => {
    const tenant = await lockTenant(tx, tenantId);
    // The step ran before and its result was lost.
    if (tenant.state !== 'suspended') return;
    const state = nextState(tenant.state, health === null ? 'resumed_without_release' : 'resumed');
    const failure = health === null || health.healthy ? null : (health.reason.split('\n')[0] ?? health.reason);
    await tx.update(tenants).set({ failure }).where(eq(tenants.id, tenantId));
    await appendEvent(tx, {
      tenantId,
      state,
      ...(failure === null
        ? {
            eventType: health === null ? 'infrastructure_ready' : 'tenant_ready',
            appUrl: appUrl(tenant.hostname),
          }
        : { eventType: 'vm_provisioning_progress', message: failure }),
    });
    await closeOperation(tx, { id: operationId });
  });
}
