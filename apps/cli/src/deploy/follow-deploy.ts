import type { CloudApiClient } from '@sp/cloud-api';
import { type DeployErrorCode, type DeployEvent, type DeployResult, isDeployError } from '@sp/deploy';
import { formatBytes } from '../output/bytes.ts';
import type { Progress, ProgressStep } from '../progress.ts';

/** What each step of a deploy is called on screen. */
const titles: Readonly<Record<string, string>> = {
  preflight: 'Check',
  plan: 'Plan the image',
  build: 'Build the image',
  push: 'Push the image',
  secrets: 'Set secrets',
  deploy: 'Start the machine',
  health: 'Wait until it is healthy',
};

/** A deploy that nobody waits for any more. */
export interface LeftDeploy {
  readonly operationId: string | undefined;
  /** Whether the server may be at it. */
  readonly started: boolean;
}

/** What ends the waiting, but not the deploy. */
const goesOn: ReadonlySet<string> = new Set<DeployErrorCode>(['SP_DEPLOY_ABORTED', 'SP_DEPLOY_TIMEOUT']);

/** Shows a deploy step by step and answers its result. */
export async function followDeploy(
  events: AsyncIterable<DeployEvent>,
  {
    progress,
    next,
    serving,
  }: {
    readonly progress: Progress;
    /** The command line that goes on after a Ctrl-C. */
    readonly next: (left: LeftDeploy) => string;
    /** Number of the release that serves after one was not healthy. */
    readonly serving: () => Promise<number | undefined>;
  },
): Promise<DeployResult> {
  let current: ProgressStep | undefined;
  let result: DeployResult | undefined;
  try {
    for await (const event of events) {
      if (event.type === 'step-started') current = progress.step(event.step, titles[event.step] ?? event.step);
      else if (event.type === 'step-progress') showProgress(event, current);
      else if (event.type === 'step-completed') {
        current?.done(undefined, event.facts);
        current = undefined;
      } else result = event.result;
    }
  } catch (error) {
    current?.fail();
    if (isDeployError(error) && goesOn.has(error.code)) {
      const { operationId, step } = error;
      const started = operationId !== undefined || step === 'deploy' || step === 'health';
      Object.assign(error, { next: [next({ operationId, started })] });
    }
    if (isDeployError(error) && error.code === 'SP_DEPLOY_UNHEALTHY') {
      Object.assign(error, { servingRelease: await serving() });
    }
    throw error;
  }
  if (result === undefined) throw new Error('The deploy ended without a result');
  return result;
}

/** Number of the release that runs; `undefined` when none does, or nobody says. */
export async function servingRelease(options: {
  readonly api: CloudApiClient;
  readonly tenantId: string;
  readonly signal: AbortSignal;
}): Promise<number | undefined> {
  const { api, tenantId, signal } = options;
  const releases = await api.releases.list(tenantId, { signal }).catch(() => []);
  return releases.find(({ status }) => status === 'running')?.number;
}

/** The push says more than anybody can read: of it, only how many bytes are there counts. */
function showProgress(event: DeployEvent & { type: 'step-progress' }, step: ProgressStep | undefined): void {
  const { message, done, total } = event;
  if (event.step !== 'push') step?.update(message);
  else if (done !== undefined && total !== undefined)
    step?.tick(`${formatBytes(done)} of ${formatBytes(total)}`, { done, total });
}
