import { and, eq, sql } from 'drizzle-orm';
import { releases, tenantOperations, tenants } from '../store/schema.ts';
import { closeOperation, lockTenant, type OperationRow } from '../tenants/operations.ts';
import { nextState } from '../tenants/state.ts';
import type { TenantRow } from '../tenants/tenants.ts';
import { deleteTenant } from './delete-tenant.ts';
import { readTenant } from './provision-tenant.ts';
import { restartMachine } from './restart-machine.ts';
import { resumeTenant } from './resume-tenant.ts';
import { rotateCredentials } from './rotate-credentials.ts';
import { rotateSyncToken } from './rotate-sync-token.ts';
import { runStep } from './step.ts';
import { StepFailed } from './step-failed.ts';
import { suspendTenant } from './suspend-tenant.ts';
import type { WorkflowContext } from './workflow-context.ts';

/**
 * An operation and its tenant, as they were when it began. The workflow engine keeps it, so that a workflow that goes on
 * after a crash takes the same turns: plain data, no secrets.
 */
export interface OperationInput {
  readonly operationId: string;
  readonly kind: OperationRow['kind'];
  readonly tenant: Pick<
    TenantRow,
    | 'id'
    | 'state'
    | 'appName'
    | 'databaseName'
    | 'databaseLogin'
    | 'currentReleaseId'
    | 'subscriptionId'
    | 'subscriptionStatus'
  >;
}

type Run = (context: WorkflowContext, input: OperationInput) => Promise<void>;

const runs: Readonly<Record<OperationRow['kind'], Run>> = {
  restart: restartMachine,
  rotate_credentials: rotateCredentials,
  rotate_sync_token: rotateSyncToken,
  suspend: suspendTenant,
  resume: resumeTenant,
  delete: deleteTenant,
};

/** Does what an operation says and closes it; each closes itself with its last change, or here when it fails. */
export async function runOperation(context: WorkflowContext, operationId: string): Promise<void> {
  const input = await runStep(context, { name: 'read operation' }, () => readInput(context, operationId));
  try {
    await runs[input.kind](context, input);
  } catch (error) {
    if (!(error instanceof StepFailed)) throw error;
    const failure = error.reason.split('\n')[0] ?? error.reason;
    const { id: tenantId } = input.tenant;
    await runStep(context, { name: 'give up operation' }, () =>
      giveUpOperation(context, { operationId, tenantId, failure }),
    );
  }
}

/** Closes an operation that cannot go on, with its reason; one that is closed stays as it is. */
export async function giveUpOperation(
  { store }: Pick<WorkflowContext, 'store'>,
  request: { readonly operationId: string; readonly tenantId: string; readonly failure: string },
): Promise<void> {
  const { operationId, tenantId, failure } = request;
  await store.db.transaction(async (tx) => {
    const tenant = await lockTenant(tx, tenantId);
    const [operation] = await tx.select().from(tenantOperations).where(eq(tenantOperations.id, operationId));
    if (operation?.status !== 'open') return;
    // Whatever was begun, the release of before is what serves. While an operation is open, a deploy is its own.
    const replacing = tenant.state === 'rotating' || tenant.state === 'deploying';
    const state = replacing ? nextState(tenant.state, 'deploy_rolled_back') : tenant.state;
    await tx.update(tenants).set({ state, failure, updatedAt: sql`now()` }).where(eq(tenants.id, tenantId));
    if (operation.releaseId !== null) {
      await tx
        .update(releases)
        .set({ status: 'failed', failure, finishedAt: sql`now()` })
        .where(and(eq(releases.id, operation.releaseId), eq(releases.status, 'deploying')));
    }
    await closeOperation(tx, { id: operationId, failure });
  });
}

async function readInput(context: WorkflowContext, operationId: string): Promise<OperationInput> {
  const { kind, tenantId } = await readOperation(context, operationId);
  const tenant = await readTenant(context, tenantId);
  const { id, state, appName, databaseName, databaseLogin, currentReleaseId, subscriptionId, subscriptionStatus } =
    tenant;
  return {
    operationId,
    kind,
    tenant: { id, state, appName, databaseName, databaseLogin, currentReleaseId, subscriptionId, subscriptionStatus },
  };
}

/** An operation as it is now. */
export async function readOperation(
  { store }: Pick<WorkflowContext, 'store'>,
  operationId: string,
): Promise<OperationRow> {
  const [operation] = await store.db.select().from(tenantOperations).where(eq(tenantOperations.id, operationId));
  if (operation === undefined) throw new Error(`No operation ${operationId}`);
  return operation;
}
