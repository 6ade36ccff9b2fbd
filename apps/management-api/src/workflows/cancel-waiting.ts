import { DBOS } from '@dbos-inc/dbos-sdk';
import { and, eq } from 'drizzle-orm';
import { releases } from '../store/schema.ts';
import { findOpenOperation } from '../tenants/operations.ts';
import { giveUpRelease } from './deploy-release.ts';
import { isWaiting } from './outage.ts';
import { giveUpProvisioning, readTenant } from './provision-tenant.ts';
import { provisioningId } from './resume-work.ts';
import { giveUpOperation } from './run-operation.ts';
import type { WorkflowContext } from './workflow-context.ts';

const canceled = 'It was canceled while it waited for a provider, since the tenant is deleted (canceled_by_deletion).';

/** What is left of a wait must be longer than it takes to cancel it, and than clocks differ. */
const marginMs = 2000;

/** What is being done to a tenant: the workflow, and how it is ended. */
interface OpenWork {
  readonly workflowId: string;
  end(): Promise<void>;
}

/**
 * Ends what is being done to a tenant if it does nothing but wait for a provider that is away, so that the tenant can be
 * deleted; whether it was so. What tries just now goes on: nobody knows what it makes.
 */
export async function cancelWaiting(context: Pick<WorkflowContext, 'store'>, tenantId: string): Promise<boolean> {
  const work = await findOpenWork(context, tenantId);
  if (work === undefined) return false;
  const { workflowId, end } = work;
  const status = (await DBOS.getWorkflowStatus(workflowId))?.status;
  const steps = (await DBOS.listWorkflowSteps(workflowId)) ?? [];
  if (status !== 'PENDING' || !isWaiting(steps, Date.now() + marginMs)) return false;
  await DBOS.cancelWorkflow(workflowId);
  // It took so long that the work may have begun again: what it made is found once it is closed as interrupted.
  if (!isWaiting(steps, Date.now())) return false;
  await end();
  return true;
}

async function findOpenWork(context: Pick<WorkflowContext, 'store'>, tenantId: string): Promise<OpenWork | undefined> {
  const { db } = context.store;
  const operation = await findOpenOperation(db, tenantId);
  if (operation !== undefined) {
    // One deletion is as good as another.
    if (operation.kind === 'delete') return undefined;
    const { id: operationId } = operation;
    return {
      workflowId: `operate:${operationId}`,
      end: () => giveUpOperation(context, { operationId, tenantId, failure: canceled }),
    };
  }
  const [release] = await db
    .select({ id: releases.id })
    .from(releases)
    .where(and(eq(releases.tenantId, tenantId), eq(releases.status, 'deploying')));
  if (release !== undefined) {
    const { id: releaseId } = release;
    return {
      workflowId: `deploy:${releaseId}`,
      end: () => giveUpRelease(context, { releaseId, reason: canceled }),
    };
  }
  if ((await readTenant(context, tenantId)).state !== 'provisioning') return undefined;
  return {
    workflowId: await provisioningId(context, tenantId),
    end: () => giveUpProvisioning(context, { tenantId, reason: canceled }),
  };
}
