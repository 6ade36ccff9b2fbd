import type { StoredTenant } from '@sp/tenants';
import type { Context } from '../context.ts';

/** The local tenant of this id or name, from the project's store alone; `undefined` when it is none. */
export async function findLocalTenant(
  context: Context,
  idOrName: string | undefined,
): Promise<StoredTenant | undefined> {
  if (idOrName === undefined) return undefined;
  const { loadTenants } = await import('@sp/tenants');
  const tenants = (await loadTenants(context.requireProject().localTenants))?.tenants ?? [];
  const local = tenants.filter(({ tenantType }) => tenantType === 'local');
  // A tenant in the cloud may have the same name: then the id tells them apart.
  const named = tenants.filter(({ name }) => name === idOrName);
  return (
    local.find(({ id }) => id === idOrName) ??
    (named.length === 1 ? local.find((each) => each === named[0]) : undefined)
  );
}
