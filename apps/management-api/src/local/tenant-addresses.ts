import { and, eq, ne, sql } from 'drizzle-orm';
import type { ProxyTarget } from '../proxy/tenant-proxy.ts';
import type { Store } from '../store/database.ts';
import { releases, tenants } from '../store/schema.ts';

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

/** Where a tenant's page is served now, by its host name with or without a port. */
export async function findTenantTarget(store: Store, host: string): Promise<ProxyTarget | undefined> {
  const [row] = await store.db
    .select({ state: tenants.state, address: releases.address })
    .from(tenants)
    .leftJoin(releases, eq(releases.id, tenants.currentReleaseId))
    .where(and(sql`split_part(${tenants.hostname}, ':', 1) = ${withoutPort(host)}`, ne(tenants.state, 'deleted')));
  if (row === undefined) return undefined;
  return row.address !== null && serving.includes(row.state) ? { address: row.address } : { state: row.state };
}

function withoutPort(host: string): string {
  return host.replace(/:\d+$/, '');
}
