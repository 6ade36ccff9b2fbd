import { setTimeout as delay } from 'node:timers/promises';
import { DBOS } from '@dbos-inc/dbos-sdk';
import { eq } from 'drizzle-orm';
import type { Logger } from 'pino';
import { LocalCloudError } from '../local/local-cloud-error.ts';
import { releases, tenants } from '../store/schema.ts';
import type { ReleaseRow } from '../tenants/deploys.ts';
import { deployRelease } from './deploy-release.ts';
import { provisionTenant } from './provision-tenant.ts';
import { resumeMachines } from './resume-machines.ts';
import type { WorkflowContext } from './workflow-context.ts';

// Workflows of an older version are taken up by a newer one; raise it only when the order of steps changes.
const applicationVersion = '1';
const releasePollMs = 100;

/** Work that survives the process: it goes on where it was when the process starts again. */
export interface Workflows {
  /** Makes what a paid tenant needs; repeating it changes nothing. */
  startProvisioning(tenantId: string): Promise<void>;
  /** Runs a release that was created; repeating it changes nothing. */
  startDeploy(releaseId: string): Promise<void>;
  /** The release when its deploy has ended, or as it is when the time is up. */
  waitForRelease(
    releaseId: string,
    options: { readonly timeoutMs: number; readonly signal?: AbortSignal },
  ): Promise<ReleaseRow>;
  /** Stops at the next step; nothing is lost. */
  close(): Promise<void>;
}

/** What the engine needs, with defaults for the times. */
export interface WorkflowsOptions
  extends Pick<WorkflowContext, 'store' | 'vault' | 'databases' | 'machines' | 'logger' | 'appUrl'> {
  /** @defaultValue 0 */
  readonly providerDelayMs?: number | undefined;
  /** @defaultValue 60000 */
  readonly healthTimeoutMs?: number | undefined;
  /** @defaultValue 250 */
  readonly healthIntervalMs?: number | undefined;
  /** @defaultValue 500 */
  readonly retryIntervalMs?: number | undefined;
}

// The engine's library is one per process, and functions are registered with it once: this is who they work for now.
let current: WorkflowContext | undefined;
let registered: ReturnType<typeof register> | undefined;

function register() {
  return {
    provision: DBOS.registerWorkflow((tenantId: string) => provisionTenant(context(), tenantId), { name: 'provision' }),
    deploy: DBOS.registerWorkflow((releaseId: string) => deployRelease(context(), releaseId), { name: 'deploy' }),
  };
}

function context(): WorkflowContext {
  if (current === undefined) throw new Error('The workflow engine is closed');
  return current;
}

/**
 * Starts the engine, the machines of what runs, and everything that was interrupted.
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
  const times = { providerDelayMs, healthTimeoutMs, healthIntervalMs, retryIntervalMs };
  const { store, logger } = options;
  current = { ...options, ...times, signal: closing.signal };
  registered ??= register();
  const { provision, deploy } = registered;

  const workflows: Workflows = {
    startProvisioning: async (tenantId) => {
      await DBOS.startWorkflow(provision, { workflowID: `provision:${tenantId}` })(tenantId);
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
    close: async () => {
      closing.abort(new Error('The workflow engine is closing'));
      await DBOS.shutdown();
      current = undefined;
    },
  };

  try {
    // Before interrupted deploys go on: those stop the machines that they replace.
    await resumeMachines(current);
    DBOS.setConfig({
      name: 'systemprompt',
      systemDatabaseUrl: engineDatabase(store.url),
      applicationVersion,
      executorID: 'local',
      logger: engineLogger(logger),
    });
    await DBOS.launch();
    await resumeWork(options, workflows);
    return workflows;
  } catch (error) {
    await workflows.close();
    throw error;
  }
}

// The engine takes up what it knows of. A process can also die between the decision and telling the engine.
async function resumeWork({ store }: WorkflowsOptions, workflows: Workflows): Promise<void> {
  const paid = await store.db.select({ id: tenants.id }).from(tenants).where(eq(tenants.state, 'provisioning'));
  for (const { id } of paid) await workflows.startProvisioning(id);
  const open = await store.db.select({ id: releases.id }).from(releases).where(eq(releases.status, 'deploying'));
  for (const { id } of open) await workflows.startDeploy(id);
}

// A database of its own beside ours: its tables are not our schema.
function engineDatabase(storeUrl: string): string {
  const url = new URL(storeUrl);
  url.pathname = `${url.pathname}_dbos`;
  return url.href;
}

function engineLogger(logger: Logger): NonNullable<Parameters<typeof DBOS.setConfig>[0]['logger']> {
  const child = logger.child({ part: 'workflows' });
  return {
    // The engine tells of every step; that is of interest to nobody but its developers.
    info: (entry) => child.debug(String(entry)),
    debug: (entry) => child.trace(String(entry)),
    warn: (entry) => child.warn(String(entry)),
    error: (entry) => child.error(entry instanceof Error ? entry.message : String(entry)),
  };
}
