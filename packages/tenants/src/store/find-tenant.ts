import { TenantsError } from '../tenants-error.ts';
import type { StoredTenant, TenantStore } from './stored-tenant.ts';
import { loadTenants } from './tenant-store.ts';

/**
 * The tenant of this id, or else of this name.
 *
 * @throws {@link TenantsError} `SP_TENANTS_AMBIGUOUS` when several have the name
 */
export function findTenant(store: TenantStore, idOrName: string): StoredTenant | undefined {
  const byId = store.tenants.find(({ id }) => id === idOrName);
  if (byId !== undefined) return byId;
  const [first, ...others] = store.tenants.filter(({ name }) => name === idOrName);
  if (others.length === 0) return first;
  const matches = store.tenants.filter(({ name }) => name === idOrName).map(({ id }) => id);
  throw new TenantsError('SP_TENANTS_AMBIGUOUS', `Several tenants are called ${idOrName}: ${matches.join(', ')}`, {
    matches,
  });
}

/**
 * The tenant of this id or name in a `tenants.json`.
 *
 * @throws {@link TenantsError} `SP_TENANTS_NOT_SYNCED` when there is no such file, `SP_TENANTS_NOT_FOUND`,
 * `SP_TENANTS_AMBIGUOUS`, `SP_TENANTS_CORRUPTED`, `SP_TENANTS_INVALID`
 */
export async function resolveTenant(path: string, idOrName: string): Promise<StoredTenant> {
  const store = await loadTenants(path);
  if (store === undefined) throw new TenantsError('SP_TENANTS_NOT_SYNCED', `No tenants yet: no file ${path}`, { path });
  const tenant = findTenant(store, idOrName);
  if (tenant !== undefined) return tenant;
  throw new TenantsError('SP_TENANTS_NOT_FOUND', `No tenant ${idOrName} in ${path}`, { path });
}
