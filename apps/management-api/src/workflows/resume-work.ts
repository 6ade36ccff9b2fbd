import { DBOS } from '@dbos-inc/dbos-sdk';
import { and, count, eq, isNotNull, notInArray } from 'drizzle-orm';
import { releases, tenantEvents, tenantOperations, tenants } from '../store/schema.ts';
import { giveUpRelease } from './deploy-release.ts';
import type { Workflows } from './engine.ts';
import { describeFailure } from './failure-class.ts';
import { giveUpProvisioning } from './provision-tenant.ts';
import { whyGivenUp } from './recoveries.ts';
import { giveUpOperation } from './run-operation.ts';
import { listDueTenants } from './settle-subscription.ts';
import type { WorkflowContext } from './workflow-context.ts';

type Context = Pick<WorkflowContext, 'store' | 'logger'>;

const abandoned = 'It was interrupted and could not go on.';
const alive: readonly string[] = ['PENDING', 'ENQUEUED', 'DELAYED'];

/**
 * Begins what was decided and never told to the engine, and ends what the engine has given up: nothing may stay open for
 * ever, since a tenant takes one thing at a time. The engine goes on by itself with what it knows of.
 */
export async function resumeWork(context: Context, workflows: Workflows): Promise<void> {
  const { store, logger } = context;
  type End = (reason: string) => Promise<void>;
  const orEnd = async (workflowId: string, begin: () => Promise<void>, end: End): Promise<void> => {
    const workflow = await DBOS.getWorkflowStatus(workflowId);
    if (workflow === null) return await begin();
    if (alive.includes(workflow.status)) return;
    logger.error({ workflow: workflowId, status: workflow.status }, 'a workflow ended without finishing its work');
    await end((await whyGivenUp(store, workflowId)) ?? abandoned);
  };

  const paid = await store.db.select({ id: tenants.id }).from(tenants).where(eq(tenants.state, 'provisioning'));
  for (const { id: tenantId } of paid) {
    await orEnd(
      await provisioningId(context, tenantId),
      () => workflows.startProvisioning(tenantId),
      (reason) => giveUpProvisioning(context, { tenantId, reason }),
    );
  }
  const operations = await store.db.select().from(tenantOperations).where(eq(tenantOperations.status, 'open'));
  for (const { id, tenantId } of operations) {
    await orEnd(
      `operate:${id}`,
      () => workflows.startOperation(id),
      (failure) => giveUpOperation(context, { operationId: id, tenantId, failure }),
    );
  }
  // The release of an operation is the operation's to run.
  const owned = store.db
    .select({ id: tenantOperations.releaseId })
    .from(tenantOperations)
    .where(isNotNull(tenantOperations.releaseId));
  const open = await store.db
    .select({ id: releases.id })
    .from(releases)
    .where(and(eq(releases.status, 'deploying'), notInArray(releases.id, owned)));
  for (const { id: releaseId } of open) {
    await orEnd(
      `deploy:${releaseId}`,
      () => workflows.startDeploy(releaseId),
      (reason) => giveUpRelease(context, { releaseId, reason }),
    );
  }
  for (const id of await listDueTenants({ store })) {
    // One that cannot be settled must keep neither the others nor the process from going on.
    await workflows.settleSubscription(id).catch((error: unknown) => {
      logger.error({ tenant: id, reason: describeFailure(error) }, 'what a subscription asks for could not be begun');
    });
  }
}

/** The workflow that makes a tenant: each attempt is one of its own. */
export async function provisioningId({ store }: Pick<Context, 'store'>, tenantId: string): Promise<string> {
  const [row] = await store.db
    .select({ failures: count() })
    .from(tenantEvents)
    .where(and(eq(tenantEvents.tenantId, tenantId), eq(tenantEvents.eventType, 'provisioning_failed')));
  const attempt = row?.failures ?? 0;
  return attempt === 0 ? `provision:${tenantId}` : `provision:${tenantId}:${attempt}`;
}
