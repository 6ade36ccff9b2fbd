import { closeOperation } from '../tenants/operations.ts';
import type { OperationInput } from './run-operation.ts';
import { runStep } from './step.ts';
import type { WorkflowContext } from './workflow-context.ts';

/** Stops the machines of a tenant that is not paid for any more. Its data and its images stay. */
export async function suspendTenant(context: WorkflowContext, { operationId, tenant }: OperationInput): Promise<void> {
  const { machines, store } = context;
  await runStep(context, { name: 'stop machines' }, async () => {
    for (const { releaseId } of await machines.list(tenant.appName)) await machines.stop(tenant.appName, releaseId);
  });
  await runStep(context, { name: 'finish suspension' }, () => closeOperation(store.db, { id: operationId }));
}
