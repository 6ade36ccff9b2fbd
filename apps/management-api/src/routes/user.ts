import type { Plan, TenantInfo } from '@sp/cloud-api/contract';
import { eq } from 'drizzle-orm';
import { unauthorized } from '../http/errors.ts';
import type { Handlers } from '../http/handlers.ts';
import { users } from '../store/schema.ts';
import { readSecrets } from '../tenants/secrets.ts';
import { listOwnedTenants, type TenantRow } from '../tenants/tenants.ts';
import type { RouteDeps } from './deps.ts';
import { mayUse } from './resolve-tenant.ts';

/** The handlers of `contract.user`. */
export function userHandlers(deps: RouteDeps): Handlers['user'] {
  return {
    get: async ({ user: caller }) => {
      const { id } = caller;
      const user = await deps.store.db.query.users.findFirst({ where: eq(users.id, id) });
      // A good token of a user who is gone.
      if (user === undefined) throw unauthorized();
      const [plans, tenants] = await Promise.all([deps.billing.listPlans(), listOwnedTenants(deps.store, id)]);
      const infos: TenantInfo[] = [];
      for (const tenant of tenants.filter(({ id }) => mayUse(caller, id)))
        infos.push(await describeTenant(deps, { tenant, plans }));
      return { user: { id, email: user.email, name: user.name ?? undefined }, tenants: infos };
    },
  };
}

/** A tenant as its owner sees it. */
export async function describeTenant(
  deps: RouteDeps,
  { tenant, plans }: { readonly tenant: TenantRow; readonly plans: readonly Plan[] },
): Promise<TenantInfo> {
  return {
    id: tenant.id,
    name: tenant.name,
    subscriptionId: tenant.subscriptionId ?? undefined,
    subscriptionStatus: tenant.subscriptionStatus ?? undefined,
    appId: tenant.appName,
    hostname: tenant.hostname,
    region: tenant.region,
    status: lifeStatus(tenant.state),
    state: tenant.state,
    message: tenant.failure ?? undefined,
    createdAt: tenant.createdAt.toISOString(),
    plan: {
      id: tenant.planId,
      name: plans.find(({ id }) => id === tenant.planId)?.name ?? tenant.planId,
      memoryMb: tenant.memoryMb,
      volumeGb: tenant.volumeGb,
    },
    externalDbAccess: tenant.externalDbAccess,
    databaseUrl: await maskedDatabaseUrl(deps, tenant),
    version: tenant.version,
  };
}

/** The coarse status that listings of the predecessor know. */
function lifeStatus(state: string): string {
  if (state === 'pending_payment' || state === 'provisioning' || state === 'provision_failed') return 'pending';
  if (state === 'suspended') return 'suspended';
  return state === 'deleting' || state === 'deleted' ? 'deleted' : 'active';
}

/** The database's address from outside, without its password. */
export async function maskedDatabaseUrl(deps: RouteDeps, tenant: TenantRow): Promise<string> {
  const secrets = await readSecrets(deps, { tenantId: tenant.id, kind: 'platform' });
  const stored = secrets['EXTERNAL_DATABASE_URL'];
  // Clients of the predecessor need an address from the first moment; a masked one is never taken for a real one.
  if (stored === undefined) return `postgresql://${tenant.databaseName}:***@localhost/${tenant.databaseName}`;
  const url = new URL(stored);
  url.password = '***';
  return url.href;
}
