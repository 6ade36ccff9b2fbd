import type { Context } from './context.ts';
import { findLocalTenant } from './local-tenant/find-local-tenant.ts';
import { type PostgresKind, postgresOf } from './local-tenant/postgres-of.ts';
import { listTenants, pickTenant } from './tenant-listing.ts';

/** What can be told about a tenant; credentials cannot. */
export interface TenantDetails {
  readonly id: string;
  readonly name: string;
  readonly tenantType: 'local' | 'cloud';
  readonly appId?: string | undefined;
  readonly hostname?: string | undefined;
  readonly region?: string | undefined;
  readonly plan?: string | undefined;
  readonly subscriptionStatus?: string | undefined;
  /** Where the tenant stands now, such as `running`; absent when the API was out of reach. */
  readonly status?: string | undefined;
  readonly message?: string | undefined;
  /** The tenant's page, once it runs. */
  readonly url?: string | undefined;
  readonly hasDatabase: boolean;
  /** Of a local tenant: on which kind of server its database is. */
  readonly database?: PostgresKind | undefined;
}

/** Finds the tenant and asks the API how it is; out of reach, what the project knows is all there is. */
export async function getTenantDetails(
  context: Context,
  { idOrName, bin }: { idOrName: string | undefined; bin: string },
): Promise<TenantDetails> {
  const local = await findLocalTenant(context, idOrName);
  if (local !== undefined) {
    const { id, name, tenantType, databaseUrl } = local;
    return { id, name, tenantType, database: await postgresOf(context, local), hasDatabase: Boolean(databaseUrl) };
  }
  const { interactive, signal } = context;
  const command = (id: string): string => `${bin} cloud tenant show ${id}`;
  const { stored, info } = await pickTenant(await listTenants(context), { idOrName, interactive, command });
  const now = info === undefined ? undefined : await (await context.api()).tenants.getStatus(info.id, { signal });
  return {
    id: stored.id,
    name: stored.name,
    tenantType: stored.tenantType,
    appId: stored.appId,
    hostname: stored.hostname,
    region: stored.region,
    plan: info?.plan?.name,
    subscriptionStatus: info?.subscriptionStatus,
    status: now?.status,
    message: now?.message,
    url: now?.appUrl,
    hasDatabase: Boolean(stored.tenantType === 'cloud' ? stored.internalDatabaseUrl : stored.databaseUrl),
  };
}
