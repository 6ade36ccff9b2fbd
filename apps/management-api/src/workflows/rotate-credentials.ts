import { randomBytes } from 'node:crypto';
import { eq } from 'drizzle-orm';
import { type DatabaseLogin, tenants } from '../store/schema.ts';
import { passwordName } from '../tenants/external-access.ts';
import { closeOperation } from '../tenants/operations.ts';
import { readSecrets, setSecrets, writeSecrets } from '../tenants/secrets.ts';
import { ensureDatabase, readTenant } from './provision-tenant.ts';
import { replaceMachine } from './replace-machine.ts';
import type { OperationInput } from './run-operation.ts';
import { runStep } from './step.ts';
import { StepFailed } from './step-failed.ts';
import type { WorkflowContext } from './workflow-context.ts';

/** What the failure of a rotation begins with that has brought the new password and could not end the old one. */
export const oldLoginOpen = 'The new password works, and the old one still does';

/**
 * Changes to the other login role with a new password. Both roles work until the machine that knows the new one has
 * taken over; when it does not, the old one stays.
 */
export async function rotateCredentials(context: WorkflowContext, input: OperationInput): Promise<void> {
  const { tenant } = input;
  const { id: tenantId, databaseName } = tenant;
  const next: DatabaseLogin = tenant.databaseLogin === 'app' ? 'alt' : 'app';
  const step = <T>(name: string, work: () => Promise<T>): Promise<T> => runStep(context, { name }, work);

  await step('decide password', () =>
    setSecrets(context, {
      tenantId,
      kind: 'platform',
      secrets: { [passwordName(next)]: randomBytes(24).toString('base64url') },
    }),
  );
  await step('open new login', () => openLogin(context, { tenantId, next }));
  const failure = await replaceMachine(context, { ...input, databaseLogin: next });
  if (failure === undefined) await step('switch login', () => switchLogin(context, { tenantId, next }));
  const unused = failure === undefined ? tenant.databaseLogin : next;
  await step('close unused login', () => context.databases.disableLogin({ databaseName, login: unused })).catch(
    (error: unknown) => {
      if (failure !== undefined || !(error instanceof StepFailed)) throw error;
      throw new StepFailed(`${oldLoginOpen}: ${error.reason}`);
    },
  );
  await step('finish rotation', () => closeOperation(context.store.db, { id: input.operationId, failure }));
}

async function openLogin(
  context: WorkflowContext,
  { tenantId, next }: { readonly tenantId: string; readonly next: DatabaseLogin },
): Promise<void> {
  const tenant = await readTenant(context, tenantId);
  await ensureDatabase(context, { ...tenant, databaseLogin: next });
  if (!tenant.externalDbAccess) return;
  // The external URL of before works on until its login is closed.
  const { [passwordName(next)]: password = '' } = await readSecrets(context, { tenantId, kind: 'platform' });
  await context.databases.setExternalAccess({
    databaseName: tenant.databaseName,
    login: next,
    password,
    enabled: true,
  });
}

async function switchLogin(
  context: WorkflowContext,
  { tenantId, next }: { readonly tenantId: string; readonly next: DatabaseLogin },
): Promise<void> {
  const tenant = { ...(await readTenant(context, tenantId)), databaseLogin: next };
  const { internalUrl, externalUrl } = await ensureDatabase(context, tenant);
  await context.store.db.transaction(async (tx) => {
    await writeSecrets(tx, context.vault, {
      tenantId,
      kind: 'platform',
      secrets: { DATABASE_URL: internalUrl, EXTERNAL_DATABASE_URL: externalUrl },
    });
    await tx.update(tenants).set({ databaseLogin: next }).where(eq(tenants.id, tenantId));
  });
}
