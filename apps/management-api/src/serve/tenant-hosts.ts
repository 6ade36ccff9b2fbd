import type { Configuration } from '../configuration/configuration.ts';

/** The names of tenants below one domain. */
export interface TenantHosts {
  /** The host of a new tenant's page. */
  hostname(name: string, suffix: string, appName: string): string;
  /** The address of a tenant's page. */
  appUrl(hostname: string): string;
  /** Whether a `Host` is, or could be, a tenant's. */
  isTenantHost(host: string): boolean;
}

/** The domain below which every app of Fly.io has its name, with a certificate. */
const flyDomain = 'fly.dev';

/** Tenants are reached by https like the API, or on a computer of one's own by http and the API's port. */
export function createTenantHosts({
  baseUrl,
  tenantDomain,
}: Pick<Configuration, 'baseUrl' | 'tenantDomain'>): TenantHosts {
  const { protocol } = new URL(baseUrl);
  const domain = tenantDomain.replace(/:\d+$/, '');
  return {
    // The names that Fly.io gives are those of its apps.
    hostname: (name, suffix, appName) =>
      `${tenantDomain === flyDomain ? appName : `${name}-${suffix}`}.${tenantDomain}`,
    appUrl: (hostname) => `${protocol}//${hostname}`,
    isTenantHost: (host) => host.replace(/:\d+$/, '').endsWith(`.${domain}`),
  };
}
