import { setTimeout as delay } from 'node:timers/promises';
import { DBOS } from '@dbos-inc/dbos-sdk';
import { eq } from 'drizzle-orm';
import { LocalCloudError } from '../local/local-cloud-error.ts';
import { releases } from '../store/schema.ts';
import type { ReleaseRow } from '../tenants/deploys.ts';
import type { OperationRow } from '../tenants/operations.ts';
import { cancelWaiting } from './cancel-waiting.ts';
import { deployRelease } from './deploy-release.ts';
import { engineDatabase, engineLogger } from './engine-settings.ts';
import { type ExecutorLease, openExecutorLease } from './executor-lease.ts';
import { outagePauses } from './outage.ts';
import { provisionTenant, readTenant } from './provision-tenant.ts';
import { forgetRecoveries } from './recoveries.ts';
import { resumeMachines } from './resume-machines.ts';
import { provisioningId, resumeWork } from './resume-work.ts';
import { readOperation, runOperation } from './run-operation.ts';
import { openDueOperation } from './settle-subscription.ts';
import { runStep } from './step.ts';
import { leaveInOrder, takeOverWorkflows } from './take-over.ts';
import { watchOthers } from './watch-others.ts';
import type { WorkflowContext } from './workflow-context.ts';

// Workflows of an older version are taken up by a newer one; raise it only when the order of steps changes.
const applicationVersion = '1';
const releasePollMs = 100;

/** Work that survives the process: it goes on where it was when the process starts again. */
export interface Workflows {
  /** Makes what a paid tenant needs, or goes on with it after a failure; repeating it changes nothing. */
  startProvisioning(tenantId: string): Promise<void>;
  /** Runs a release that was created; repeating it changes nothing. */
  startDeploy(releaseId: string): Promise<void>;
  /** The release when its deploy has ended, or as it is when the time is up. */
  waitForRelease(
    releaseId: string,
    options: { readonly timeoutMs: number; readonly signal?: AbortSignal },
  ): Promise<ReleaseRow>;
  /** Does what an operation that was opened says; repeating it changes nothing. */
  startOperation(operationId: string): Promise<void>;
  /** The operation when it is closed, or as it is when the time is up. */
  waitForOperation(
    operationId: string,
    options: { readonly timeoutMs: number; readonly signal?: AbortSignal },
  ): Promise<OperationRow>;
  /** Ends what is being done to a tenant if it only waits for a provider that is away; whether it was so. */
  cancelWaiting(tenantId: string): Promise<boolean>;
  /**
   * Does what a tenant's subscription asks for now: suspends it, starts it again, or deletes it. While something else is
   * being done to the tenant, that comes after it.
   */
  settleSubscription(tenantId: string): Promise<void>;
  /** Whether new work can begin here: this process is known to live, and the engine's database answers. Throws when not. */
  checkReadiness(): Promise<void>;
  /** Stops at the next step; nothing is lost. */
  close(): Promise<void>;
}

/** What the engine needs, with defaults for the times. */
export interface WorkflowsOptions
  extends Pick<
    WorkflowContext,
    'store' | 'vault' | 'databases' | 'machines' | 'billing' | 'images' | 'logger' | 'appUrl' | 'onBoundary'
  > {
  /** @defaultValue 0 */
  readonly providerDelayMs?: number | undefined;
  /** @defaultValue 60000 */
  readonly healthTimeoutMs?: number | undefined;
  /** @defaultValue 250 */
  readonly healthIntervalMs?: number | undefined;
  /** @defaultValue 500 */
  readonly retryIntervalMs?: number | undefined;
  /**
   * How long a provider that is away is waited for: see {@link WorkflowContext.outagePausesMs}.
   * @defaultValue about an hour: from 15 seconds to 5 minutes, and 5 minutes again and again
   */
  readonly outagePausesMs?: readonly number[] | undefined;
  /**
   * How often in a row a workflow may be under way, without getting further, when its process ends: then it counts as
   * what ends them and is given up.
   * @defaultValue 5
   */
  readonly maxRecoveries?: number | undefined;
  /** Between two looks for processes on the same database that have ended, in ms. @defaultValue 2000 */
  readonly takeOverIntervalMs?: number | undefined;
  /** Between two comparisons of the providers with the database, of which the first is at the start; 0: none. @defaultValue 300000 */
  readonly reconcileIntervalMs?: number | undefined;
}

/** What all workflows share; whom each is for comes with its run. */
type SharedContext = Omit<WorkflowContext, 'findTenantId'>;

// The engine's library is one per process, and functions are registered with it once: this is who they work for now.
let current: SharedContext | undefined;
let registered: ReturnType<typeof register> | undefined;

function register() {
  return {
    provision: DBOS.registerWorkflow(
      (tenantId: string) =>
        run(tenantId, async (context) => {
          await provisionTenant(context, tenantId);
          await settleAfter(context);
        }),
      { name: 'provision' },
    ),
    deploy: DBOS.registerWorkflow(
      (releaseId: string) =>
        run({ releaseId }, async (context) => {
          await deployRelease(context, releaseId);
          await settleAfter(context);
        }),
      { name: 'deploy' },
    ),
    operate: DBOS.registerWorkflow(
      (operationId: string) =>
        run({ operationId }, async (context) => {
          await runOperation(context, operationId);
          await settleAfter(context);
        }),
      { name: 'operate' },
    ),
  };
}

// The last run of each workflow here. Another process may have given one back to us while we still had it.
const latestRuns = new Map<string, symbol>();

type Subject = string | { readonly releaseId: string } | { readonly operationId: string };

async function run(subject: Subject, work: (context: WorkflowContext) => Promise<void>): Promise<void> {
  const shared = context();
  const workflowId = DBOS.workflowID ?? '';
  const own = Symbol(workflowId);
  latestRuns.set(workflowId, own);
  const isLatest = (): boolean => latestRuns.get(workflowId) === own;
  try {
    await work({
      ...shared,
      ownsWorkflow: async (id) => isLatest() && (await shared.ownsWorkflow(id)),
      findTenantId: async () => (typeof subject === 'string' ? subject : await tenantOf(shared, subject)),
    });
  } finally {
    if (isLatest()) latestRuns.delete(workflowId);
  }
}

// The subscription may have changed meanwhile, when the tenant was busy.
async function settleAfter(context: WorkflowContext): Promise<void> {
  const due = await runStep(context, { name: 'look at subscription' }, async () => {
    return (await openDueOperation(context, { tenantId: await context.findTenantId() })) ?? null;
  });
  // A workflow of its own, under the name by which every other process would start it.
  if (due !== null && registered !== undefined) {
    await DBOS.startWorkflow(registered.operate, { workflowID: `operate:${due}` })(due);
  }
}

async function tenantOf(context: Pick<WorkflowContext, 'store'>, subject: Exclude<Subject, string>): Promise<string> {
  if ('operationId' in subject) return (await readOperation(context, subject.operationId)).tenantId;
  const [release] = await context.store.db.select().from(releases).where(eq(releases.id, subject.releaseId));
  if (release === undefined) throw new Error(`No release ${subject.releaseId}`);
  return release.tenantId;
}

function context(): SharedContext {
  if (current === undefined) throw new Error('The workflow engine is closed');
  return current;
}

/**
 * Starts the engine, the machines of what runs, and everything that was interrupted. Several processes may work on one
 * database: each takes over what another one leaves when it ends.
 * @throws {LocalCloudError} SP_LOCAL_ONE_PER_PROCESS when this process has an engine already
 */
export async function startWorkflows(options: WorkflowsOptions): Promise<Workflows> {
  const { providerDelayMs = 0, healthTimeoutMs = 60_000, healthIntervalMs = 250, retryIntervalMs = 500 } = options;
  if (current !== undefined || DBOS.isInitialized()) {
    throw new LocalCloudError('SP_LOCAL_ONE_PER_PROCESS', {
      message: 'This process runs a control plane already, and its workflow engine is one per process',
    });
  }
  const closing = new AbortController();
  const { outagePausesMs = outagePauses } = options;
  const times = { providerDelayMs, healthTimeoutMs, healthIntervalMs, retryIntervalMs, outagePausesMs };
  const { store, logger, takeOverIntervalMs = 2000, reconcileIntervalMs = 300_000, maxRecoveries = 5 } = options;
  let lease: ExecutorLease | undefined;
  let stopWatching: (() => Promise<void>) | undefined;
  let asked: Promise<unknown> | undefined;
  const ownsWorkflow = async (workflowId: string): Promise<boolean> => {
    const workflow = await DBOS.getWorkflowStatus(workflowId);
    return workflow?.status === 'PENDING' && workflow.executorId === lease?.executorId;
  };
  current = { ...options, ...times, signal: closing.signal, ownsWorkflow };
  registered ??= register();
  const { provision, deploy, operate } = registered;

  const workflows: Workflows = {
    startProvisioning: async (tenantId) => {
      // Also keeps a repeated webhook from making a tenant that has failed, or is gone, again.
      if ((await readTenant({ store }, tenantId)).state !== 'provisioning') return;
      const workflowID = await provisioningId({ store }, tenantId);
      await DBOS.startWorkflow(provision, { workflowID })(tenantId);
    },
    startDeploy: async (releaseId) => {
      await DBOS.startWorkflow(deploy, { workflowID: `deploy:${releaseId}` })(releaseId);
    },
    waitForRelease: async (releaseId, { timeoutMs, signal }) => {
      const until = performance.now() + timeoutMs;
      while (true) {
        signal?.throwIfAborted();
        const [release] = await store.db.select().from(releases).where(eq(releases.id, releaseId));
        if (release === undefined) throw new Error(`No release ${releaseId}`);
        const left = until - performance.now();
        if (release.status !== 'deploying' || left <= 0) return release;
        await delay(Math.min(releasePollMs, left), undefined, signal === undefined ? {} : { signal });
      }
    },
    startOperation: async (operationId) => {
      await DBOS.startWorkflow(operate, { workflowID: `operate:${operationId}` })(operationId);
    },
    waitForOperation: async (operationId, { timeoutMs, signal }) => {
      const until = performance.now() + timeoutMs;
      while (true) {
        signal?.throwIfAborted();
        const operation = await readOperation({ store }, operationId);
        const left = until - performance.now();
        if (operation.status !== 'open' || left <= 0) return operation;
        await delay(Math.min(releasePollMs, left), undefined, signal === undefined ? {} : { signal });
      }
    },
    cancelWaiting: (tenantId) => cancelWaiting({ store }, tenantId),
    settleSubscription: async (tenantId) => {
      const operationId = await openDueOperation({ store }, { tenantId });
      if (operationId !== undefined) await workflows.startOperation(operationId);
    },
    checkReadiness: async () => {
      // Others would take over what begins here.
      if (lease?.isHeld !== true) throw new Error('The lease of this process is lost');
      // The engine asks until it is answered: one question at a time is enough.
      asked ??= DBOS.getWorkflowStatus('readiness').finally(() => {
        asked = undefined;
      });
      await asked;
    },
    close: async () => {
      closing.abort(new Error('The workflow engine is closing'));
      await stopWatching?.();
      if (lease !== undefined && DBOS.isInitialized()) {
        await leaveInOrder({ store, executorId: lease.executorId, applicationVersion, logger });
      }
      await DBOS.shutdown();
      // Now others may go on with what is left here.
      await lease?.close();
      current = undefined;
    },
  };

  try {
    lease = await openExecutorLease({ url: store.url, logger });
    const held = lease;
    // Before interrupted deploys go on: those stop the machines that they replace. Machines of a provider elsewhere run
    // whether or not we do; one that is missing there is found by the first comparison, which nobody waits for.
    if (options.machines.kind !== 'fly') await resumeMachines(current);
    DBOS.setConfig({
      name: 'systemprompt',
      systemDatabaseUrl: engineDatabase(store.url),
      applicationVersion,
      executorID: held.executorId,
      logger: engineLogger(logger),
    });
    await DBOS.launch();
    await forgetRecoveries(store);
    await takeOverWorkflows({ store, lease: held, applicationVersion, maxRecoveries, logger });
    await resumeWork(options, workflows);
    stopWatching = watchOthers(current, {
      lease: held,
      workflows,
      applicationVersion,
      maxRecoveries,
      takeOverIntervalMs,
      reconcileIntervalMs,
    });
    return workflows;
  } catch (error) {
    await workflows.close();
    throw error;
  }
}
