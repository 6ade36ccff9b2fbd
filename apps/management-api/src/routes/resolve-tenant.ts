import { tenantNotFound } from '../http/errors.ts';
import type { RequestUser } from '../http/handlers.ts';
import { findOwnedTenant, type TenantRow } from '../tenants/tenants.ts';
import type { RouteDeps } from './deps.ts';

/**
 * The tenant that a request speaks of.
 * @throws {ApiFailure} tenant_not_found, also for somebody else's, and for one that the API token is not for
 */
export async function resolveTenant(
  deps: Pick<RouteDeps, 'store'>,
  { id, user }: { readonly id: string; readonly user: RequestUser },
): Promise<TenantRow> {
  if (!mayUse(user, id)) throw tenantNotFound();
  const tenant = await findOwnedTenant(deps.store, { id, ownerId: user.id });
  if (tenant === undefined) throw tenantNotFound();
  return tenant;
}

/** Whether a token that is for one tenant is for this one. */
export function mayUse({ apiToken }: Pick<RequestUser, 'apiToken'>, tenantId: string): boolean {
  return apiToken?.tenantId === undefined || apiToken.tenantId === tenantId.toLowerCase();
}
