import type { CustomDomain } from '@sp/cloud-api/contract';
import { ApiFailure } from '../http/errors.ts';
import type { Handlers } from '../http/handlers.ts';
import {
  type CustomDomainRow,
  deleteCustomDomain,
  findCustomDomain,
  isFailingDomain,
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
    const found = await look(stored, { target, signal });
    const { domain, createdAt, verifiedAt } = found;
    // Only for a name that is proved: the provider limits how many are asked for.
    const isReady = verifiedAt !== null && (await certificates.isReady(tenant, domain));
    const isFailing = isFailingDomain(found, deps.now());
    const verified = found.isFound || (verifiedAt !== null && !isFailing);
    return {
      domain,
      status: verified && isReady ? 'active' : isFailing ? 'failing' : 'pending',
      verified,
      dnsTarget: target,
      dnsInstructions: { recordType: 'CNAME', host: domain, value: target, ttl },
      createdAt: createdAt.toISOString(),
      verifiedAt: verifiedAt?.toISOString(),
    };
  }

  /** Looks for the record where it was not found yet, or was not found again. */
  async function look(
    stored: CustomDomainRow,
    { target, signal }: { readonly target: string; readonly signal: AbortSignal },
  ): Promise<CustomDomainRow & { readonly isFound: boolean }> {
    const isRight = stored.verifiedAt !== null && stored.failingSince === null;
    if (isRight) return { ...stored, isFound: true };
    const aliases = await dns.findAliases(stored.domain, { signal });
    const isFound = aliases?.includes(target.toLowerCase()) === true;
    if (!isFound || stored.verifiedAt !== null) return { ...stored, isFound };
    const verified = await verifyCustomDomain(store, stored);
    // Before ours is asked for: a provider may have a name only once.
    for (const former of verified.takenFrom) await certificates.remove(former, stored.domain);
    return { ...verified.stored, isFound };
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
