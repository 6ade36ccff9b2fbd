import { type DeployResponse, isCloudApiError, type Release } from '@sp/cloud-api';
import { DeployError, withFacts } from '../deploy-error.ts';
import { currentRelease, findReleases, type TenantOptions } from './deploy-api.ts';
import type { DeployEvent } from './deploy-event.ts';
import { type FollowOptions, followRelease } from './follow-release.ts';
import { runStep, type StepContext, secondsSince } from './run-step.ts';
import { inProgressError, remoteMovedError } from './start-release.ts';
import { streamEvents } from './stream-events.ts';
import { waitForResult } from './wait-for-result.ts';

/** How long to wait for a machine. */
export interface WaitOptions extends TenantOptions {
  /** How long the machine may take to be healthy. @defaultValue 120_000 */
  readonly healthTimeoutMs?: number | undefined;
  /** Time between two looks at the machine. @defaultValue 500 */
  readonly pollIntervalMs?: number | undefined;
}

/** Which deploy to take up again. */
export interface ResumeDeployOptions extends WaitOptions {
  /** Of the event or the error of the deploy that was interrupted. */
  readonly operationId: string;
}

/** What to bring back. */
export interface RollbackOptions extends WaitOptions {
  /** Number of the release. @defaultValue the one that ran before, and was something else */
  readonly release?: number | undefined;
  /** Number of the release that must still be running. @defaultValue any */
  readonly expectedRelease?: number | undefined;
}

/**
 * A tenant's last releases, the newest first.
 *
 * @throws an error of `@sp/cloud-api`
 * @example
 * for (const { number, status, digest } of await releases({ api, tenantId })) console.log(number, status, digest);
 */
export async function releases({ api, tenantId, signal }: TenantOptions): Promise<readonly Release[]> {
  return await api.releases.list(tenantId, { signal });
}

/**
 * Takes up a deploy that the server goes on with: after a lost connection, Ctrl-C or a crash of the client. One event
 * stream as of `deploy`, from its step `health`; a deploy that has ended meanwhile ends it at once.
 *
 * @throws {@link DeployError} `SP_DEPLOY_RELEASE_NOT_FOUND`, `SP_DEPLOY_UNHEALTHY`, `SP_DEPLOY_TIMEOUT`, `SP_DEPLOY_API_FAILED`, `SP_DEPLOY_ABORTED`
 */
export function resumeDeploy(options: ResumeDeployOptions): AsyncIterable<DeployEvent> {
  const { operationId } = options;
  return follow(options, async (context) => {
    context.operationId = operationId;
    return await runStep('health', context, async (onProgress) => {
      const found = await followRelease(operationId, { ...waitOf(options, context), onProgress }).catch(
        (error: unknown) => refusal(options, error),
      );
      const { status, appUrl, release } = found;
      return {
        value: { response: { status, releaseId: release.id, digest: release.digest }, release, status, appUrl },
        facts: { status, release: release.number },
      };
    });
  });
}

/**
 * Brings back the image and the secrets of an earlier release, as a new release: steps `deploy` and `health`.
 *
 * @throws {@link DeployError} `SP_DEPLOY_RELEASE_NOT_FOUND` when there is none to bring back,
 * `SP_DEPLOY_REMOTE_MOVED`, `SP_DEPLOY_IN_PROGRESS`, and those of {@link resumeDeploy}
 */
export function rollback(options: RollbackOptions): AsyncIterable<DeployEvent> {
  const { api, tenantId, release, expectedRelease } = options;
  return follow(options, async (context) => {
    const response = await runStep('deploy', context, async () => {
      const request = { release, expectedRelease };
      const value = await api.releases
        .rollback(tenantId, request, { signal: context.signal })
        .catch((error: unknown) => refusal(options, error));
      context.operationId = value.releaseId;
      const { status, releaseId } = value;
      return { value, facts: { status, ...(releaseId === undefined ? {} : { operationId: releaseId }) } };
    });
    return await runStep('health', context, async (onProgress) => {
      const wait = { ...waitOf(options, context), onProgress };
      const { status, appUrl } = await waitForResult(response, wait);
      const made = await api.releases.get(tenantId, response.releaseId ?? '', { signal: context.signal });
      return { value: { response, release: made, status, appUrl }, facts: { status, release: made.number } };
    });
  });
}

interface Followed {
  readonly response: DeployResponse;
  readonly release: Release;
  readonly status: string;
  readonly appUrl: string | undefined;
}

function follow(options: WaitOptions, work: (context: StepContext) => Promise<Followed>): AsyncIterable<DeployEvent> {
  const { tenantId } = options;
  return streamEvents<DeployEvent>(async (emit, signal) => {
    const started = performance.now();
    const { release, status, appUrl } = await work({ tenantId, emit, signal });
    const { id: operationId, number, image, digest } = release;
    const seconds = secondsSince(started);
    const result = { tenantId, image, digest, status, appUrl, operationId, release: number, uploadedBytes: 0, seconds };
    emit({ type: 'deploy-completed', result });
  }, options.signal);
}

function waitOf(options: WaitOptions, { signal }: StepContext): Omit<FollowOptions, 'onProgress'> {
  const { api, tenantId, healthTimeoutMs: timeoutMs = 120_000, pollIntervalMs = 500 } = options;
  return { api, tenantId, timeoutMs, pollIntervalMs, signal };
}

const missingReleases: ReadonlyMap<string, string> = new Map([
  ['release_not_found', 'has no such release'],
  // As after a rollback: what ran before the release that was brought back.
  ['no_earlier_release', 'has none that ran before the present one and differs from it; any other can be named'],
]);

/** What the server's words for a refusal mean. */
async function refusal({ api, tenantId, signal }: WaitOptions, error: unknown): Promise<never> {
  if (!isCloudApiError(error)) throw error;
  const { serverCode = '', message } = error;
  if (serverCode === 'release_moved') {
    const running = currentRelease((await findReleases({ api, tenantId, signal }).catch(() => undefined)) ?? []);
    throw withFacts(remoteMovedError(tenantId, { why: message, release: running }), { cause: error });
  }
  const missing = missingReleases.get(serverCode);
  if (missing !== undefined) {
    throw new DeployError('SP_DEPLOY_RELEASE_NOT_FOUND', `Tenant ${tenantId} ${missing}`, { cause: error });
  }
  if (serverCode === 'deploy_in_progress') {
    const releases = await findReleases({ api, tenantId, signal }).catch(() => undefined);
    const open = releases?.find((release) => release.status === 'deploying');
    if (open !== undefined) throw withFacts(inProgressError(open, tenantId), { cause: error });
  }
  throw error;
}
