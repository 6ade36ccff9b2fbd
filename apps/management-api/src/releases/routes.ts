import type { DeployResponse } from '@sp/cloud-api/contract';
import { ApiFailure } from '../http/errors.ts';
import type { Handlers, RequestUser } from '../http/handlers.ts';
import type { Effect } from '../http/idempotency.ts';
import { findReleaseDigests } from '../images/release-digests.ts';
import { findMade, runRelease } from '../routes/deploy.ts';
import type { RouteDeps } from '../routes/deps.ts';
import { resolveTenant } from '../routes/resolve-tenant.ts';
import { createRelease } from '../tenants/deploys.ts';
import { diffSecrets, secretDigestKey } from './diff-secrets.ts';
import { findRelease, listReleases } from './list-releases.ts';
import { findRollbackTarget } from './rollback-target.ts';

const listed = 100;

/** The handlers of `contract.releases`. */
export function releaseHandlers(deps: RouteDeps): Handlers['releases'] {
  const { store, vault } = deps;
  return {
    list: async ({ params, user }) => {
      const { id } = await resolveTenant(deps, { id: params.id, user });
      return await listReleases(store, { tenantId: id, limit: listed, kept: deps.keptReleases });
    },

    get: async ({ params, user }) => {
      const { id } = await resolveTenant(deps, { id: params.id, user });
      const release = await findRelease(store, { tenantId: id, release: params.release, kept: deps.keptReleases });
      if (release === undefined) throw notFound();
      return release;
    },

    rollback: async ({ params, user, body, signal, effect }) =>
      rollBack(deps, { id: params.id, user, ...body, signal, effect }),

    getSecretDigestKey: async ({ params, user }) => {
      const { id } = await resolveTenant(deps, { id: params.id, user });
      return { key: secretDigestKey(vault, id).toString('base64') };
    },

    diffSecrets: async ({ params, user, body }) => {
      const tenant = await resolveTenant(deps, { id: params.id, user });
      return await diffSecrets(deps, { tenant, ...body });
    },
  };
}

async function rollBack(
  deps: RouteDeps,
  request: {
    readonly id: string;
    readonly user: RequestUser;
    readonly release?: number | undefined;
    readonly expectedRelease?: number | undefined;
    readonly signal: AbortSignal;
    readonly effect: Effect;
  },
): Promise<DeployResponse> {
  const { user, expectedRelease, signal, effect } = request;
  const tenant = await resolveTenant(deps, { id: request.id, user });
  const begun = await findMade(deps, effect);
  if (begun !== undefined) return await runRelease(deps, { tenant, release: begun, signal });
  const target = await findRollbackTarget(deps.store, { tenant, release: request.release });
  if (target === undefined) {
    if (request.release !== undefined) throw notFound();
    throw new ApiFailure('No release ran before.', { status: 409, code: 'no_earlier_release' });
  }
  const { number, image, digest, secretsVersion } = target;
  const images: readonly string[] = await findReleaseDigests(deps.store, {
    tenantId: tenant.id,
    kept: deps.keptReleases,
  });
  if (!images.includes(digest)) {
    throw new ApiFailure(`Release ${number} cannot be brought back: its image is not kept any more.`, {
      status: 409,
      code: 'release_not_available',
    });
  }
  const release = await createRelease(deps, {
    tenantId: tenant.id,
    image,
    digest,
    secretsVersion,
    rollbackOf: number,
    createdBy: user.id,
    expectedRelease,
    effect,
  });
  return await runRelease(deps, { tenant, release, signal });
}

function notFound(): ApiFailure {
  return new ApiFailure('There is no such release that ran.', { status: 404, code: 'release_not_found' });
}
