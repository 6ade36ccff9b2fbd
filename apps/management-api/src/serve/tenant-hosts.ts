import type { Configuration } from '../configuration/configuration.ts';

/** The names of tenants below one domain. */
export interface TenantHosts {
  /** The host of a new tenant's page. */
  hostname(name: string, suffix: string, appName: string): string;
  /** The address of a tenant's page. */
  appUrl(hostname: string): string;
  /** Whether a `Host` is that of the API; it may lie below the tenants' domain. */
  isOwnHost(host: string): boolean;
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
  const { protocol, hostname: own } = new URL(baseUrl);
  const domain = withoutPort(tenantDomain);
  const isOwnHost = (host: string): boolean => withoutPort(host) === own;
  return {
    // The names that Fly.io gives are those of its apps.
    hostname: (name, suffix, appName) =>
      `${tenantDomain === flyDomain ? appName : `${name}-${suffix}`}.${tenantDomain}`,
    appUrl: (hostname) => `${protocol}//${hostname}`,
    isOwnHost,
    isTenantHost: (host) => !isOwnHost(host) && withoutPort(host).endsWith(`.${domain}`),
  };
}

function withoutPort(host: string): string {
  return host.replace(/:\d+$/, '');
}
