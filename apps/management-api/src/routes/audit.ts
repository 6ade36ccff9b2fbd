import { listAuditEntries } from '../audit/list-entries.ts';
import type { Handlers } from '../http/handlers.ts';
import type { RouteDeps } from './deps.ts';
import { resolveTenant } from './resolve-tenant.ts';

const defaultLimit = 50;

/** The handler of `contract.tenants.listAuditEntries`. */
export function auditHandlers(deps: RouteDeps): Pick<Handlers['tenants'], 'listAuditEntries'> {
  return {
    listAuditEntries: async ({ params, user, query: { limit = defaultLimit, before } }) => {
      const { id } = await resolveTenant(deps, { id: params.id, user });
      await deps.audit.settle();
      return await listAuditEntries(deps.store, { chain: id, limit, before });
    },
  };
}
