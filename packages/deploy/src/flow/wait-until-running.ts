import { setTimeout as delay } from 'node:timers/promises';
import { type CloudApiClient, type DeployResponse, isCloudApiError } from '@sp/cloud-api';
import { DeployError } from '../deploy-error.ts';
import type { StepProgress } from '../image-builder.ts';

/** What is waited for, and how long. */
export interface WaitUntilRunningOptions {
  readonly api: Pick<CloudApiClient, 'tenants'>;
  readonly tenantId: string;
  readonly timeoutMs: number;
  readonly pollIntervalMs: number;
  readonly onProgress: (progress: StepProgress) => void;
  readonly signal: AbortSignal;
}

const running: ReadonlySet<string> = new Set(['running', 'ready', 'deployed']);
const failed: ReadonlySet<string> = new Set([
  'failed',
  'error',
  'suspended',
  'deleting',
  'deleted',
  'provision_failed',
]);

/** Follows a deploy that the server has accepted until the new machine is healthy, or is not. */
export async function waitUntilRunning(
  response: DeployResponse,
  options: WaitUntilRunningOptions,
): Promise<{ readonly status: string; readonly appUrl: string | undefined }> {
  const { api, tenantId, timeoutMs, pollIntervalMs, onProgress, signal } = options;
  if (failed.has(response.status)) {
    // What the tenant does instead: `running` is the release before.
    const now = await api.tenants.getStatus(tenantId, { signal }).catch(() => undefined);
    throw unhealthy(tenantId, now?.status ?? response.status, response.message);
  }
  if (running.has(response.status)) {
    const appUrl = response.appUrl ?? (await api.tenants.getStatus(tenantId, { signal })).appUrl;
    return { status: response.status, appUrl };
  }
  const deadline = performance.now() + timeoutMs;
  let last: string = response.status;
  while (performance.now() < deadline) {
    await delay(pollIntervalMs, undefined, { signal });
    const current = await api.tenants.getStatus(tenantId, { signal }).catch((error: unknown) => {
      if (isCloudApiError(error) && error.retryable) return undefined;
      throw error;
    });
    if (current === undefined) continue;
    const { status, message, appUrl } = current;
    // A deploy that fails goes back to the release before it, or to none; the message says what was wrong with it.
    const wentBack = status === 'awaiting_deploy' || (running.has(status) && message !== undefined);
    if (wentBack || failed.has(status)) throw unhealthy(tenantId, status, message);
    if (running.has(status)) return { status, appUrl };
    if (status !== last) onProgress({ message: message ?? status });
    last = status;
  }
  const seconds = timeoutMs / 1000;
  const message = `Tenant ${tenantId} is still ${last} after ${seconds} seconds`;
  throw new DeployError('SP_DEPLOY_TIMEOUT', message, { tenantId, status: last });
}

/** The server's message may go on with the machine's last output. */
function unhealthy(tenantId: string, status: string, message: string | undefined): DeployError {
  const [why = '', ...lastLines] = (message ?? `the tenant's status is ${status}`).split('\n');
  return new DeployError('SP_DEPLOY_UNHEALTHY', `The new release of tenant ${tenantId} is not healthy: ${why}`, {
    tenantId,
    status,
    ...(lastLines.length > 0 ? { lastLines } : {}),
  });
}
