import { eq } from 'drizzle-orm';
import { type DatabaseLogin, releases, tenantOperations } from '../store/schema.ts';
import { insertRelease } from '../tenants/deploys.ts';
import { lockTenant } from '../tenants/operations.ts';
import { deployRelease } from './deploy-release.ts';
import type { OperationInput } from './run-operation.ts';
import { runStep } from './step.ts';
import type { WorkflowContext } from './workflow-context.ts';

/**
 * Brings a change of the tenant's credentials to its machine: the same image and the owner's same secrets as a new
 * release, which takes over when it is healthy. Returns why it did not; then the machine of before goes on. A tenant
 * without a machine has nothing to replace.
 */
export async function replaceMachine(
  context: WorkflowContext,
  input: OperationInput & { readonly databaseLogin: DatabaseLogin },
): Promise<string | undefined> {
  if (input.tenant.state !== 'rotating') return undefined;
  const releaseId = await runStep(context, { name: 'copy release' }, () => copyRelease(context, input));
  await deployRelease(context, releaseId);
  const failure = await runStep(context, { name: 'look at release' }, async () => {
    const [release] = await context.store.db.select().from(releases).where(eq(releases.id, releaseId));
    if (release?.status === 'running') return null;
    return release?.failure?.split('\n')[0] ?? 'The machine with the new credentials did not start';
  });
  return failure ?? undefined;
}

async function copyRelease(
  { store }: WorkflowContext,
  { operationId, tenant: { id: tenantId }, databaseLogin }: OperationInput & { readonly databaseLogin: DatabaseLogin },
): Promise<string> {
  return await store.db.transaction(async (tx) => {
    const tenant = await lockTenant(tx, tenantId);
    const [own] = await tx.select().from(tenantOperations).where(eq(tenantOperations.id, operationId));
    // The step ran before and its result was lost.
    if (own?.releaseId !== null && own?.releaseId !== undefined) return own.releaseId;
    const [current] = await tx
      .select()
      .from(releases)
      .where(eq(releases.id, tenant.currentReleaseId ?? ''));
    if (current === undefined) throw new Error(`Tenant ${tenant.id} has no release`);
    const { image, digest, secretsVersion } = current;
    const { id } = await insertRelease(tx, {
      tenant: { ...tenant, databaseLogin },
      image,
      digest,
      secretsVersion,
      createdBy: tenant.ownerId,
    });
    await tx.update(tenantOperations).set({ releaseId: id }).where(eq(tenantOperations.id, operationId));
    return id;
  });
}
