import { customDomainPattern } from '@sp/cloud-api/contract';
import { and, eq, isNotNull, ne, or, sql } from 'drizzle-orm';
import type { ProxyTarget } from '../proxy/tenant-proxy.ts';
import type { Store } from '../store/database.ts';
import { customDomains, releases, tenants } from '../store/schema.ts';

// Those in which the last good release runs.
const serving: readonly string[] = ['running', 'deploying', 'rotating'];

/** The names of tenants on this computer: `<name>-<suffix>.localhost:<port>`. */
export function tenantAddresses(port: number) {
  return {
    hostname: (name: string, suffix: string): string => `${name}-${suffix}.localhost:${port}`,
    // The port is today's: the one that the tenant was made with may have been taken since.
    appUrl: (hostname: string): string => `http://${withoutPort(hostname)}:${port}`,
    isTenantHost: (host: string): boolean => withoutPort(host).endsWith('.localhost'),
  };
}

/** Whether a host is a domain that a tenant has proved to be its own. */
export async function isCustomDomain(store: Store, host: string): Promise<boolean> {
  const domain = withoutPort(host);
  // Addresses and names of this computer are the API's, without a look.
  if (!customDomainPattern.test(domain)) return false;
  const [row] = await store.db
    .select({ tenantId: customDomains.tenantId })
    .from(customDomains)
    .where(and(eq(customDomains.domain, domain), isNotNull(customDomains.verifiedAt)));
  return row !== undefined;
}

/** Where a tenant's page is served now, by its host name or its custom domain, with or without a port. */
export async function findTenantTarget(store: Store, host: string): Promise<ProxyTarget | undefined> {
  const [row] = await store.db
    .select({ state: tenants.state, address: releases.address })
    .from(tenants)
    .leftJoin(releases, eq(releases.id, tenants.currentReleaseId))
    .leftJoin(customDomains, eq(customDomains.tenantId, tenants.id))
    .where(
      and(
        ne(tenants.state, 'deleted'),
        or(
          sql`split_part(${tenants.hostname}, ':', 1) = ${withoutPort(host)}`,
          and(eq(customDomains.domain, withoutPort(host)), isNotNull(customDomains.verifiedAt)),
        ),
      ),
    );
  if (row === undefined) return undefined;
  return row.address !== null && serving.includes(row.state) ? { address: row.address } : { state: row.state };
}

function withoutPort(host: string): string {
  return host.replace(/:\d+$/, '');
}
