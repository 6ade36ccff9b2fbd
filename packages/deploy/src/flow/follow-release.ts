import { setTimeout as delay } from 'node:timers/promises';
import { isCloudApiError, type Release } from '@sp/cloud-api';
import { DeployError } from '../deploy-error.ts';
import type { StepProgress } from '../image-builder.ts';
import type { TenantOptions } from './deploy-api.ts';

/** How long, and how often. */
export interface FollowOptions extends TenantOptions {
  readonly timeoutMs: number;
  readonly pollIntervalMs: number;
  readonly onProgress: (progress: StepProgress) => void;
  readonly signal: AbortSignal;
}

/** A release that runs, or ran until another took its place. */
export interface FollowedRelease {
  readonly status: string;
  readonly appUrl: string | undefined;
  readonly release: Release;
}

/**
 * Follows a release until its machine is healthy, or is not; a crash is told at once, with the machine's last lines.
 * A connection that is lost meanwhile is made again.
 */
export async function followRelease(operationId: string, options: FollowOptions): Promise<FollowedRelease> {
  const { api, tenantId, timeoutMs, pollIntervalMs, onProgress, signal } = options;
  const deadline = performance.now() + timeoutMs;
  for (let asked = 0; ; asked += 1) {
    const release = await api.releases.get(tenantId, operationId, { signal }).catch((error: unknown) => {
      if (isCloudApiError(error) && error.retryable) return undefined;
      throw error;
    });
    if (release?.status === 'failed') throw await unhealthy(release, options);
    if (release !== undefined && release.status !== 'deploying') {
      const { appUrl } = await api.tenants.getStatus(tenantId, { signal });
      return { status: release.status, appUrl, release };
    }
    if (asked === 0 && release !== undefined) onProgress({ message: `release ${release.number} is starting` });
    if (performance.now() >= deadline) throw timedOut(operationId, options);
    await delay(pollIntervalMs, undefined, { signal });
  }
}

async function unhealthy(release: Release, { api, tenantId, signal }: FollowOptions): Promise<DeployError> {
  // What the tenant does instead: `running` is the release before.
  const now = await api.tenants.getStatus(tenantId, { signal }).catch(() => undefined);
  const message = `Release ${release.number} of tenant ${tenantId} is not healthy: ${release.failure ?? 'no reason given'}`;
  return new DeployError('SP_DEPLOY_UNHEALTHY', message, {
    tenantId,
    operationId: release.id,
    release: release.number,
    status: now?.status,
    lastLines: release.logLines,
  });
}

function timedOut(operationId: string, { tenantId, timeoutMs }: FollowOptions): DeployError {
  const message = `Tenant ${tenantId} is still deploying after ${timeoutMs / 1000} seconds`;
  return new DeployError('SP_DEPLOY_TIMEOUT', message, { tenantId, operationId, status: 'deploying' });
}
