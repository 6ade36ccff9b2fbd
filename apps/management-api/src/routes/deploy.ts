import type { DeployResponse } from '@sp/cloud-api/contract';
import { ApiFailure } from '../http/errors.ts';
import type { Effect } from '../http/idempotency.ts';
import { createRelease, type ReleaseRow, readRelease } from '../tenants/deploys.ts';
import type { TenantRow } from '../tenants/tenants.ts';
import type { RouteDeps } from './deps.ts';

/**
 * Runs what the tenant's tag points to now, by digest, and waits for its health as long as the request may take.
 * @throws {ApiFailure} image_mismatch, image_not_pushed, digest_mismatch
 */
export async function deployTenant(
  deps: RouteDeps,
  request: {
    readonly tenant: TenantRow;
    readonly image: string;
    readonly digest?: string | undefined;
    readonly expectedRelease?: number | undefined;
    readonly userId: string;
    readonly signal: AbortSignal;
    readonly effect: Effect;
  },
): Promise<DeployResponse> {
  const { images } = deps;
  const { tenant, image, expectedRelease, userId, signal, effect } = request;
  const begun = await findMade(deps, effect);
  if (begun !== undefined) return await runRelease(deps, { tenant, release: begun, signal });
  const expected = images.expectedImage(tenant.id);
  if (image !== expected) throw refuse(400, 'image_mismatch', `image: only ${expected} can run as this tenant.`);
  const pushed = await images.resolve(tenant.id);
  if (pushed === undefined) throw refuse(409, 'image_not_pushed', `No image was pushed to ${expected}.`);
  if (request.digest !== undefined && request.digest !== pushed.digest) {
    throw refuse(409, 'digest_mismatch', `${expected} points to ${pushed.digest} by now, not to ${request.digest}.`);
  }

  const created = { tenantId: tenant.id, image, digest: pushed.digest, createdBy: userId, expectedRelease, effect };
  const release = await createRelease(deps, created);
  return await runRelease(deps, { tenant, release, signal });
}

/** The release that the same request of before has created. */
export async function findMade(
  deps: Pick<RouteDeps, 'store'>,
  { made }: Pick<Effect, 'made'>,
): Promise<ReleaseRow | undefined> {
  return typeof made === 'string' ? await readRelease(deps, made) : undefined;
}

/** Runs a release that was created, and waits for its health as long as the request may take. */
export async function runRelease(
  deps: Pick<RouteDeps, 'workflows' | 'appUrl' | 'deployPatienceMs'>,
  request: { readonly tenant: TenantRow; readonly release: ReleaseRow; readonly signal: AbortSignal },
): Promise<DeployResponse> {
  const { workflows, appUrl, deployPatienceMs } = deps;
  const { tenant, release, signal } = request;
  await workflows.startDeploy(release.id);
  const { status, failure } = await workflows.waitForRelease(release.id, { timeoutMs: deployPatienceMs, signal });
  const facts = { releaseId: release.id, digest: release.digest };
  if (status === 'deploying') return { status: 'deploying', ...facts };
  if (status === 'failed') return { status: 'failed', message: failure ?? undefined, ...facts };
  return { status: 'running', appUrl: appUrl(tenant.hostname), ...facts };
}

function refuse(status: 400 | 409, code: string, message: string): ApiFailure {
  return new ApiFailure(message, { status, code });
}
