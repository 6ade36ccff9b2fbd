import type { TenantInfo, TenantSecrets } from '@sp/cloud-api';
import { isMaskedDatabaseUrl } from './database-url.ts';
import { givenMembers } from './new-tenant.ts';

/** `local`: a database on this computer; `cloud`: a machine, a database and a hostname in the cloud. */
export type TenantType = 'local' | 'cloud';

/** What is known about a tenant on this computer. */
export interface StoredTenant {
  /** The server's id, or `local_<hex>`. */
  readonly id: string;
  /** The user's name for it. */
  readonly name: string;
  /** Name of the app that runs the tenant's machine. */
  readonly appId?: string | undefined;
  /** Public host without a scheme. */
  readonly hostname?: string | undefined;
  /** Region code, such as `iad`. */
  readonly region?: string | undefined;
  /** The local database, or a cloud database as seen from outside. Holds a password. */
  readonly databaseUrl?: string | undefined;
  /** The cloud database as the tenant itself sees it. Holds a password, or a mask in its place. */
  readonly internalDatabaseUrl?: string | undefined;
  /** Where it runs. */
  readonly tenantType: TenantType;
  /** Whether the cloud database can be reached from outside. */
  readonly externalDbAccess: boolean;
  /** For file synchronisation. A secret. */
  readonly syncToken?: string | undefined;
  /** Name of a local tenant's database in the shared container. */
  readonly sharedContainerDb?: string | undefined;
}

/** The tenants of a project. */
export interface TenantStore {
  /** In the order in which they were added. */
  readonly tenants: readonly StoredTenant[];
  /** When the server was last asked. */
  readonly syncedAt: Date;
}

/** A cloud tenant as the server describes it; its database URL is usually masked. */
export function storedTenantFromInfo(info: TenantInfo): StoredTenant {
  return {
    id: info.id,
    name: info.name,
    ...givenMembers({ appId: info.appId, hostname: info.hostname, region: info.region }),
    internalDatabaseUrl: info.databaseUrl,
    tenantType: 'cloud',
    externalDbAccess: info.externalDbAccess,
  };
}

/**
 * What is stored, brought up to date with what the server says. What the server leaves out stays, and a masked URL
 * never takes the place of a real one: the server does not know the password, this computer may be the only one.
 */
export function mergeTenantInfo(tenant: StoredTenant, info: TenantInfo): StoredTenant {
  const known = tenant.internalDatabaseUrl;
  const keep = known !== undefined && isMaskedDatabaseUrl(info.databaseUrl) && !isMaskedDatabaseUrl(known);
  return {
    ...tenant,
    name: info.name,
    ...givenMembers({ appId: info.appId, hostname: info.hostname, region: info.region }),
    internalDatabaseUrl: keep ? known : info.databaseUrl,
    externalDbAccess: info.externalDbAccess,
  };
}

/** The tenant with its generated credentials, which the server gives out once. */
export function withCredentials(tenant: StoredTenant, secrets: TenantSecrets): StoredTenant {
  return {
    ...tenant,
    databaseUrl: secrets.databaseUrl,
    internalDatabaseUrl: secrets.internalDatabaseUrl,
    ...givenMembers({ syncToken: secrets.syncToken }),
  };
}

/**
 * Whether the server was last asked more than `ageMs` ago.
 *
 * @example
 * isStale(store, 60 * 60 * 1000); // older than an hour
 */
export function isStale(
  store: TenantStore,
  ageMs: number,
  options: { /** The time, in milliseconds. @defaultValue Date.now */ readonly now?: (() => number) | undefined } = {},
): boolean {
  const { now = Date.now } = options;
  return now() - store.syncedAt.getTime() > ageMs;
}
