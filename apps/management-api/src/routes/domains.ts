import type { CustomDomain } from '@sp/cloud-api/contract';
import { ApiFailure } from '../http/errors.ts';
import type { Handlers } from '../http/handlers.ts';
import {
  type CustomDomainRow,
  deleteCustomDomain,
  findCustomDomain,
  setCustomDomain,
  verifyCustomDomain,
} from '../tenants/custom-domains.ts';
import { createDomainCertificates } from '../tenants/domain-certificates.ts';
import type { TenantRow } from '../tenants/tenants.ts';
import type { RouteDeps } from './deps.ts';
import { resolveTenant } from './resolve-tenant.ts';

const ttl = 3600;

/** The handlers of `contract.domains`. */
export function domainHandlers(deps: RouteDeps): Handlers['domains'] {
  const { store, dns } = deps;
  const certificates = createDomainCertificates({ certificates: deps.certificates, logger: deps.logger });

  async function describe(tenant: TenantRow, stored: CustomDomainRow, signal: AbortSignal): Promise<CustomDomain> {
    const target = dns.target(tenant.hostname);
    const { domain, createdAt, verifiedAt } = await verify(stored, { target, signal });
    // Only for a name that is proved: the provider limits how many are asked for.
    const isActive = verifiedAt !== null && (await certificates.isReady(tenant, domain));
    return {
      domain,
      status: isActive ? 'active' : 'pending',
      verified: verifiedAt !== null,
      dnsTarget: target,
      dnsInstructions: { recordType: 'CNAME', host: domain, value: target, ttl },
      createdAt: createdAt.toISOString(),
      verifiedAt: verifiedAt?.toISOString(),
    };
  }

  async function verify(
    stored: CustomDomainRow,
    { target, signal }: { readonly target: string; readonly signal: AbortSignal },
  ): Promise<CustomDomainRow> {
    if (stored.verifiedAt !== null) return stored;
    const aliases = await dns.findAliases(stored.domain, { signal });
    return aliases.includes(target.toLowerCase()) ? await verifyCustomDomain(store, stored) : stored;
  }

  return {
    set: async ({ params, user, body, signal }) => {
      const tenant = await resolveTenant(deps, { id: params.id, user });
      const domain = body.domain.toLowerCase();
      // A name of ours would stand for somebody's tenant.
      const suffix = dns.target(tenant.hostname).replace(/^[^.]+/, '');
      if (domain.endsWith(suffix) || domain === suffix.slice(1)) {
        throw new ApiFailure(`domain: names below ${suffix.slice(1)} are not for custom use.`, {
          status: 400,
          code: 'reserved_domain',
        });
      }
      const before = await findCustomDomain(store, tenant.id);
      const stored = await setCustomDomain(store, { tenantId: tenant.id, domain });
      if (before !== undefined && before.domain !== domain) await certificates.remove(tenant, before.domain);
      return describe(tenant, stored, signal);
    },

    get: async ({ params, user, signal }) => {
      const tenant = await resolveTenant(deps, { id: params.id, user });
      const stored = await findCustomDomain(store, tenant.id);
      if (stored === undefined) {
        throw new ApiFailure('The tenant has no custom domain.', { status: 404, code: 'custom_domain_not_found' });
      }
      return describe(tenant, stored, signal);
    },

    delete: async ({ params, user }) => {
      const tenant = await resolveTenant(deps, { id: params.id, user });
      const stored = await findCustomDomain(store, tenant.id);
      if (stored !== undefined) await certificates.remove(tenant, stored.domain);
      await deleteCustomDomain(store, tenant.id);
      return undefined;
    },
  };
}
