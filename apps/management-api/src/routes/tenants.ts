import { ApiFailure } from '../http/errors.ts';
import { lastEventId } from '../http/event-stream.ts';
import type { Handlers } from '../http/handlers.ts';
import { setVersion } from '../http/versions.ts';
import { claimCredentials, credentialsToken } from '../tenants/credentials.ts';
import { canDeploy, TenantStateConflict } from '../tenants/state.ts';
import { listOwnedTenants } from '../tenants/tenants.ts';
import { deployTenant } from './deploy.ts';
import type { RouteDeps } from './deps.ts';
import { createTenantStreams, isEnded } from './follow-tenant.ts';
import { mayUse, resolveTenant } from './resolve-tenant.ts';
import { describeTenant } from './user.ts';

const lastTypes: ReadonlySet<string> = new Set(['tenant_ready', 'provisioning_failed', 'tenant_deleted']);

/** The states in which a tenant has its credentials. */
const provisioned: ReadonlySet<string> = new Set(['awaiting_deploy', 'deploying', 'running', 'rotating', 'suspended']);

type Reading = Pick<
  Handlers['tenants'],
  'list' | 'get' | 'getStatus' | 'events' | 'getCredentials' | 'getRegistryToken' | 'deploy'
>;

/** The handlers of `contract.tenants` that show a tenant and run its image. */
export function tenantHandlers(deps: RouteDeps): Reading {
  const { store, vault, images, appUrl, baseUrl } = deps;
  const attachStream = createTenantStreams(deps);
  return {
    list: async ({ user }) => {
      const rows = await listOwnedTenants(store, user.id);
      return rows
        .filter(({ id }) => mayUse(user, id))
        .map(({ id, name, appName, hostname }) => ({
          id,
          name,
          flyAppName: appName,
          flyHostname: hostname,
          hostname,
        }));
    },

    get: async ({ params, user, answer }) => {
      const tenant = await resolveTenant(deps, { id: params.id, user });
      setVersion(answer, tenant.version);
      return describeTenant(deps, { tenant, plans: await deps.billing.listPlans() });
    },

    getStatus: async ({ params, user }) => {
      const tenant = await resolveTenant(deps, { id: params.id, user });
      const unclaimed = tenant.credentialsClaimedAt === null && provisioned.has(tenant.state);
      return {
        status: tenant.state,
        message: tenant.failure ?? undefined,
        appUrl: tenant.state === 'running' ? appUrl(tenant.hostname) : undefined,
        secretsUrl: unclaimed
          ? `${baseUrl}/api/v1/tenants/${tenant.id}/credentials/${credentialsToken(vault, tenant.id)}`
          : undefined,
      };
    },

    events: async ({ params, user, request }) => {
      const tenant = await resolveTenant(deps, { id: params.id, user });
      // After a restore from a backup somebody may have seen more than there is now.
      const after = Math.min(lastEventId(request), tenant.eventSequence);
      const ended = await isEnded(deps, { tenant, after, lastTypes });
      const from = { tenantId: tenant.id, after, head: tenant.eventSequence, lastTypes };
      return { ended, attach: (sink) => attachStream(sink, from) };
    },

    getCredentials: async ({ params, user }) => {
      const { id, hostname } = await resolveTenant(deps, { id: params.id, user });
      const claimed = await claimCredentials(deps, { tenantId: id, token: params.token, appUrl: appUrl(hostname) });
      if (claimed === 'used') throw credentialsFailure(410, 'credentials_already_used', 'The link was used already.');
      if (claimed === 'unknown') throw credentialsFailure(404, 'credentials_not_found', 'There is no such link.');
      return claimed;
    },

    getRegistryToken: async ({ params, user }) => {
      const { id, state } = await resolveTenant(deps, { id: params.id, user });
      // A push may go on while the deploy before it still runs.
      if (!canDeploy(state) && state !== 'deploying') throw new TenantStateConflict(state, 'deploy_started');
      return images.issueToken(id);
    },

    deploy: async ({ params, user, body, signal, effect }) => {
      const tenant = await resolveTenant(deps, { id: params.id, user });
      return deployTenant(deps, { tenant, ...body, userId: user.id, signal, effect });
    },
  };
}

function credentialsFailure(status: 404 | 410, code: string, message: string): ApiFailure {
  return new ApiFailure(message, { status, code });
}
