import { eq, sql } from 'drizzle-orm';
import { type DatabaseLogin, releases, tenantOperations, tenants } from '../store/schema.ts';
import { insertRelease } from '../tenants/deploys.ts';
import { lockTenant } from '../tenants/operations.ts';
import { readSecrets } from '../tenants/secrets.ts';
import { nextState } from '../tenants/state.ts';
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
  const { databaseLogin } = input;
  const releaseId = await runStep(context, { name: 'copy release' }, () =>
    copyRelease(context, { ...input, databaseLogin }),
  );
  return await runCopy(context, releaseId);
}

/**
 * Makes a release of the image that runs with the owner's secrets as they are now, when they are others than those of
 * the release that runs. Returns its id; `null`: there is nothing new.
 */
export async function renewRelease(
  context: WorkflowContext,
  { operationId, tenant }: Pick<OperationInput, 'operationId' | 'tenant'>,
): Promise<string | null> {
  const { id: tenantId, currentReleaseId } = tenant;
  const [operation] = await context.store.db
    .select()
    .from(tenantOperations)
    .where(eq(tenantOperations.id, operationId));
  if (operation?.releaseId !== null && operation?.releaseId !== undefined) return operation.releaseId;
  const [current] = await context.store.db
    .select()
    .from(releases)
    .where(eq(releases.id, currentReleaseId ?? ''));
  if (current === undefined) return null;
  const [frozen, now] = await Promise.all([
    readSecrets(context, { tenantId, kind: 'user', version: current.secretsVersion }),
    readSecrets(context, { tenantId, kind: 'user' }),
  ]);
  const names = Object.keys(now);
  if (names.length === Object.keys(frozen).length && names.every((name) => frozen[name] === now[name])) return null;
  return await copyRelease(context, { operationId, tenant, secrets: 'current' });
}

/** Runs a release that {@link renewRelease} or a rotation has made; why the one of before goes on, if it does. */
export async function runCopy(context: WorkflowContext, releaseId: string): Promise<string | undefined> {
  await deployRelease(context, releaseId);
  const failure = await runStep(context, { name: 'look at release' }, async () => {
    const [release] = await context.store.db.select().from(releases).where(eq(releases.id, releaseId));
    if (release?.status === 'running') return null;
    return release?.failure?.split('\n')[0] ?? 'The new machine did not start';
  });
  return failure ?? undefined;
}

async function copyRelease(
  { store }: Pick<WorkflowContext, 'store'>,
  request: Pick<OperationInput, 'operationId' | 'tenant'> & {
    readonly databaseLogin?: DatabaseLogin | undefined;
    /** @defaultValue as they are frozen */
    readonly secrets?: 'current' | undefined;
  },
): Promise<string> {
  const { operationId, databaseLogin, secrets } = request;
  return await store.db.transaction(async (tx) => {
    const tenant = await lockTenant(tx, request.tenant.id);
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
      tenant: { ...tenant, databaseLogin: databaseLogin ?? tenant.databaseLogin },
      image,
      digest,
      secretsVersion: secrets === 'current' ? undefined : secretsVersion,
      createdBy: tenant.ownerId,
    });
    await tx.update(tenantOperations).set({ releaseId: id }).where(eq(tenantOperations.id, operationId));
    // A rotation has its state already; a restart becomes a deploy here.
    if (tenant.state === 'running') {
      const state = nextState(tenant.state, 'deploy_started');
      await tx.update(tenants).set({ state, updatedAt: sql`now()` }).where(eq(tenants.id, tenant.id));
    }
    return id;
  });
}
