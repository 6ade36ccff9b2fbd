import { isMaskedDatabaseUrl } from './database-url.ts';
import type { StoredTenant } from './stored-tenant.ts';

/** Whether the tenant's database is known: inside the cloud for a cloud tenant, on this computer for a local one. */
export function hasDatabaseUrl(tenant: StoredTenant): boolean {
  return Boolean(tenant.tenantType === 'cloud' ? tenant.internalDatabaseUrl : tenant.databaseUrl);
}

/** The database URL to use from this computer: the outer or local one, else the inner one. It may be masked. */
export function localDatabaseUrl(tenant: StoredTenant): string | undefined {
  return tenant.databaseUrl ?? tenant.internalDatabaseUrl;
}

/** Whether the inner database URL has a mask in place of its password. */
export function isDatabaseUrlMasked(tenant: StoredTenant): boolean {
  return isMaskedDatabaseUrl(tenant.internalDatabaseUrl ?? '');
}

/** Whether a cloud tenant's sync token is not known on this computer; a local tenant needs none. */
export function isSyncTokenMissing(tenant: StoredTenant): boolean {
  return tenant.tenantType === 'cloud' && !tenant.syncToken;
}

/** Whether a cloud tenant's credentials have to be rotated before this computer can use them. */
export function hasMissingCredentials(tenant: StoredTenant): boolean {
  return tenant.tenantType === 'cloud' && (isSyncTokenMissing(tenant) || isDatabaseUrlMasked(tenant));
}

/** Whether a local tenant's database is in the shared Postgres container. */
export function usesSharedContainer(tenant: StoredTenant): boolean {
  return tenant.sharedContainerDb !== undefined;
}
