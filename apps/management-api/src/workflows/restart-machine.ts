import { eq, sql } from 'drizzle-orm';
import { releases, tenants } from '../store/schema.ts';
import { closeOperation } from '../tenants/operations.ts';
import { waitForHealth } from './health.ts';
import { machineSpec } from './machine-spec.ts';
import { readTenant } from './provision-tenant.ts';
import { renewRelease, runCopy } from './replace-machine.ts';
import type { OperationInput } from './run-operation.ts';
import { runStep } from './step.ts';
import { StepFailed } from './step-failed.ts';
import type { WorkflowContext } from './workflow-context.ts';

/**
 * Stops the machine of the tenant's release, starts it again and waits for its health. Where the owner's secrets are
 * others than those that the release has frozen, a new release of the same image with the current ones takes its place:
 * what a machine runs with is always what its release says.
 */
export async function restartMachine(context: WorkflowContext, input: OperationInput): Promise<void> {
  const { operationId, tenant } = input;
  const releaseId = tenant.currentReleaseId;
  if (releaseId === null) throw new StepFailed('Nothing runs that could be restarted');
  const renewed = await runStep(context, { name: 'choose release' }, () => renewRelease(context, input));
  if (renewed !== null) {
    const failure = await runCopy(context, renewed);
    await runStep(context, { name: 'finish restart' }, () =>
      closeOperation(context.store.db, { id: operationId, failure }),
    );
    return;
  }
  await runStep(context, { name: 'stop machine' }, () => context.machines.stop(tenant.appName, releaseId));
  const health = await runStep(context, { name: 'start machine again', attempts: 3 }, () =>
    startMachine(context, { tenantId: tenant.id, releaseId }),
  );
  await runStep(context, { name: 'finish restart' }, () =>
    context.store.db.transaction(async (tx) => {
      const failure = health.healthy ? undefined : health.reason.split('\n')[0];
      await tx
        .update(tenants)
        .set({ failure: failure ?? null, updatedAt: sql`now()` })
        .where(eq(tenants.id, tenant.id));
      await closeOperation(tx, { id: operationId, failure });
    }),
  );
}

/** Starts the machine of a release of before, and says whether it is healthy. */
export async function startMachine(
  context: WorkflowContext,
  ids: { readonly tenantId: string; readonly releaseId: string },
) {
  const { store, machines, signal, healthTimeoutMs, healthIntervalMs } = context;
  const tenant = await readTenant(context, ids.tenantId);
  const [release] = await store.db.select().from(releases).where(eq(releases.id, ids.releaseId));
  if (release === undefined) throw new Error(`No release ${ids.releaseId}`);
  const machine = await machines.start(await machineSpec(context, { tenant, release }), { signal });
  await store.db
    .update(releases)
    .set({ machineId: machine.id, address: machine.address ?? null })
    .where(eq(releases.id, release.id));
  return await waitForHealth(
    machines,
    { appName: tenant.appName, releaseId: release.id },
    { timeoutMs: healthTimeoutMs, intervalMs: healthIntervalMs, signal },
  );
}
