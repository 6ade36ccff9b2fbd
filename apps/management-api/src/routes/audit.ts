import { listAuditEntries } from '../audit/list-entries.ts';
import { tenantNotFound } from '../http/errors.ts';
import type { Handlers } from '../http/handlers.ts';
import { hasOwnedTenant } from '../tenants/tenants.ts';
import type { RouteDeps } from './deps.ts';
import { mayUse } from './resolve-tenant.ts';

const defaultLimit = 50;

/** The handler of `contract.tenants.listAuditEntries`. */
export function auditHandlers(deps: RouteDeps): Pick<Handlers['tenants'], 'listAuditEntries'> {
  return {
    listAuditEntries: async ({ params, user, query: { limit = defaultLimit, before } }) => {
      const { id } = params;
      // Also of one that is deleted: who did that is what somebody looks for then.
      const isTheirs = mayUse(user, id) && (await hasOwnedTenant(deps.store, { id, ownerId: user.id }));
      if (!isTheirs) throw tenantNotFound();
      await deps.audit.settle();
      return await listAuditEntries(deps.store, { chain: id.toLowerCase(), limit, before });
    },
  };
}
