import { tenantNotFound } from '../http/errors.ts';
import type { RequestUser } from '../http/handlers.ts';
import { findOwnedTenant, type TenantRow } from '../tenants/tenants.ts';
import type { RouteDeps } from './deps.ts';

/**
 * The tenant that a request speaks of.
 * @throws {ApiFailure} tenant_not_found, also for somebody else's
 */
export async function resolveTenant(
  deps: Pick<RouteDeps, 'store'>,
  { id, user }: { readonly id: string; readonly user: RequestUser },
): Promise<TenantRow> {
  const tenant = await findOwnedTenant(deps.store, { id, ownerId: user.id });
  if (tenant === undefined) throw tenantNotFound();
  return tenant;
}
