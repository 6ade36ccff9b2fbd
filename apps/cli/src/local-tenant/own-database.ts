import type { StoredTenant } from '@sp/tenants';
import type { Context } from '../context.ts';
import { dockerFolder } from './postgres-of.ts';
import type { UnfinishedTenant } from './unfinished-tenants.ts';

/** A tenant whose database is on a server that we run. */
export interface OwnTenant extends UnfinishedTenant {
  readonly database: 'docker' | 'embedded';
  readonly databaseName: string;
}

/** Whether a tenant's database is ours to make and to delete. */
export function isOwn(tenant: UnfinishedTenant): tenant is OwnTenant {
  return tenant.database !== 'external' && tenant.databaseName !== undefined;
}

/** Makes its database and role, or gives the role that there is a new password. */
export async function makeOwnDatabase(
  context: Context,
  { tenant, adminUrl }: { readonly tenant: OwnTenant; readonly adminUrl: string },
): Promise<StoredTenant> {
  const { id, name, database, databaseName } = tenant;
  const { createTenantDatabase, recordTenantDatabase } = await import('@sp/local-postgres');
  const { newLocalTenant, newSharedLocalTenant } = await import('@sp/tenants');
  const databaseUrl = await createTenantDatabase(adminUrl, { name: databaseName, signal: context.signal });
  if (database === 'embedded') return newLocalTenant({ id, name, databaseUrl });
  await recordTenantDatabase(dockerFolder(context), { tenantId: id, databaseName });
  return newSharedLocalTenant({ id, name, databaseUrl, sharedContainerDb: databaseName });
}

/** Deletes its database and role. What is not there is no error. */
export async function dropOwnDatabase(
  context: Context,
  options: {
    readonly tenant: Pick<OwnTenant, 'id' | 'database' | 'databaseName'>;
    readonly adminUrl: string;
    readonly signal?: AbortSignal | undefined;
  },
): Promise<void> {
  const { tenant, adminUrl, signal } = options;
  const { dropTenantDatabase, forgetTenantDatabase } = await import('@sp/local-postgres');
  await dropTenantDatabase(adminUrl, { name: tenant.databaseName, signal });
  if (tenant.database === 'docker') await forgetTenantDatabase(dockerFolder(context), tenant.id);
}
