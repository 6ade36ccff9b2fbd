import { and, eq, inArray, sql } from 'drizzle-orm';
import { restoreSecrets } from '../releases/restore-secrets.ts';
import type { Transaction } from '../store/database.ts';
import { releases, tenants } from '../store/schema.ts';
import type { ReleaseRow } from '../tenants/deploys.ts';
import { appendEvent } from '../tenants/events.ts';
import { nextState } from '../tenants/state.ts';
import type { TenantRow } from '../tenants/tenants.ts';
import { type Health, waitForHealth } from './health.ts';
import { machineSpec } from './machine-spec.ts';
import { runStep } from './step.ts';
import { StepFailed } from './step-failed.ts';
import type { WorkflowContext } from './workflow-context.ts';

/**
 * Starts a release's machine beside the old one, and switches to it when it is healthy. The old machine goes on when it
 * is not. Every step may run again.
 */
export async function deployRelease(context: WorkflowContext, releaseId: string): Promise<void> {
  const health = await runStep(context, { name: 'start machine', attempts: 3 }, () =>
    startMachine(context, releaseId),
  ).catch((error: unknown): Health => {
    if (!(error instanceof StepFailed)) throw error;
    return { healthy: false, reason: error.reason };
  });
  if (!health.healthy) {
    const { reason } = health;
    await runStep(context, { name: 'stop failed machine', patient: false }, () =>
      stopMachine(context, releaseId),
    ).catch(ignoreFailure);
    await runStep(context, { name: 'keep environment' }, () => keepEnvironment(context, releaseId)).catch(
      ignoreFailure,
    );
    await runStep(context, { name: 'give up' }, () => giveUpRelease(context, { releaseId, reason }));
    return;
  }
  const { address } = health;
  await runStep(context, { name: 'switch' }, () => switchTo(context, { releaseId, address }));
  await runStep(context, { name: 'stop old machines', patient: false }, () => stopOthers(context, releaseId)).catch(
    ignoreFailure,
  );
}

// Runs again as a whole after an interruption: a machine that died meanwhile is started anew before it is judged.
async function startMachine(context: WorkflowContext, releaseId: string): Promise<Health> {
  const { store, machines, signal, healthTimeoutMs, healthIntervalMs } = context;
  const { release, tenant } = await readRelease(context, releaseId);
  const machine = await machines.start(await machineSpec(context, { tenant, release }), { signal });
  await store.db
    .update(releases)
    .set({ machineId: machine.id, address: machine.address ?? null })
    .where(eq(releases.id, releaseId));
  return await waitForHealth(
    machines,
    { appName: tenant.appName, releaseId },
    { timeoutMs: healthTimeoutMs, intervalMs: healthIntervalMs, signal },
  );
}

async function switchTo(
  context: WorkflowContext,
  request: { readonly releaseId: string; readonly address: string },
): Promise<void> {
  const { releaseId, address } = request;
  await context.store.db.transaction(async (tx) => {
    const { release, tenant } = await lockRelease(tx, releaseId);
    if (release.status !== 'deploying') return;
    const state = nextState(tenant.state, 'deploy_succeeded');
    if (tenant.currentReleaseId !== null) {
      await tx.update(releases).set({ status: 'superseded' }).where(eq(releases.id, tenant.currentReleaseId));
    }
    await tx
      .update(releases)
      .set({ status: 'running', address, finishedAt: sql`now()` })
      .where(eq(releases.id, releaseId));
    const { databaseLogin } = release;
    await tx
      .update(tenants)
      .set({ currentReleaseId: releaseId, databaseLogin, failure: null })
      .where(eq(tenants.id, tenant.id));
    if (release.rollbackOf !== null) {
      const { secretsVersion: version, createdAt: since } = release;
      await restoreSecrets({ tx, vault: context.vault }, { tenantId: tenant.id, version, since });
    }
    const appUrl = context.appUrl(tenant.hostname);
    await appendEvent(tx, { tenantId: tenant.id, eventType: 'tenant_ready', state, appUrl });
  });
}

/** Ends a deploy that cannot go on, with its reason; one that has ended stays as it is. */
export async function giveUpRelease(
  context: Pick<WorkflowContext, 'store'>,
  request: { readonly releaseId: string; readonly reason: string },
): Promise<void> {
  const { releaseId, reason } = request;
  await context.store.db.transaction(async (tx) => {
    const { release, tenant } = await lockRelease(tx, releaseId);
    if (release.status !== 'deploying') return;
    const trigger = tenant.currentReleaseId === null ? 'deploy_abandoned' : 'deploy_rolled_back';
    await tx
      .update(releases)
      .set({ status: 'failed', failure: reason, finishedAt: sql`now()` })
      .where(eq(releases.id, releaseId));
    await tx
      .update(tenants)
      .set({ state: nextState(tenant.state, trigger), failure: reason.split('\n')[0] ?? null, updatedAt: sql`now()` })
      .where(eq(tenants.id, tenant.id));
  });
}

async function stopMachine(context: WorkflowContext, releaseId: string): Promise<void> {
  const { tenant } = await readRelease(context, releaseId);
  // A repetition after the switch: this release is what the tenant runs on.
  if (tenant.currentReleaseId === releaseId) return;
  await context.machines.stop(tenant.appName, releaseId);
}

/** Where machines of an app share what they start with, the one that goes on would start with that of the one that failed. */
async function keepEnvironment(context: WorkflowContext, failedId: string): Promise<void> {
  const { tenant } = await readRelease(context, failedId);
  const { currentReleaseId } = tenant;
  if (currentReleaseId === null || currentReleaseId === failedId) return;
  const { release } = await readRelease(context, currentReleaseId);
  await context.machines.keep(await machineSpec(context, { tenant, release }), { signal: context.signal });
}

async function stopOthers(context: WorkflowContext, releaseId: string): Promise<void> {
  const { tenant } = await readRelease(context, releaseId);
  if (tenant.currentReleaseId !== releaseId) return;
  for (const machine of await context.machines.list(tenant.appName)) {
    // Asked each time: a deploy that began in the meantime has a machine of its own, which may be the tenant's by now.
    const needed = await context.store.db
      .select({ id: releases.id })
      .from(releases)
      .where(and(eq(releases.tenantId, tenant.id), inArray(releases.status, ['deploying', 'running'])));
    if (needed.some(({ id }) => id === machine.releaseId)) continue;
    await context.machines.stop(tenant.appName, machine.releaseId);
  }
}

async function readRelease(
  context: Pick<WorkflowContext, 'store'>,
  releaseId: string,
): Promise<{ release: ReleaseRow; tenant: TenantRow }> {
  const [row] = await context.store.db
    .select({ release: releases, tenant: tenants })
    .from(releases)
    .innerJoin(tenants, eq(tenants.id, releases.tenantId))
    .where(eq(releases.id, releaseId));
  if (row === undefined) throw new Error(`No release ${releaseId}`);
  return row;
}

async function lockRelease(tx: Transaction, releaseId: string): Promise<{ release: ReleaseRow; tenant: TenantRow }> {
  const [row] = await tx
    .select({ release: releases, tenant: tenants })
    .from(releases)
    .innerJoin(tenants, eq(tenants.id, releases.tenantId))
    .where(eq(releases.id, releaseId))
    .for('update');
  if (row === undefined) throw new Error(`No release ${releaseId}`);
  return row;
}

// The step has been tried and logged; what is left running is stopped by the next comparison or deploy.
function ignoreFailure(error: unknown): void {
  if (!(error instanceof StepFailed)) throw error;
}
