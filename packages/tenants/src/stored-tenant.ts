import type { TenantInfo, TenantSecrets } from '@sp/cloud-api';
import { isMaskedDatabaseUrl } from './database-url.ts';

/** `local`: a database on this computer; `cloud`: a machine, a database and a hostname in the cloud. */
export type TenantType = 'local' | 'cloud';

/** What is known about a tenant on this computer. */
export interface StoredTenant {
  /** The server's id, or `local_<hex>`. */
  readonly id: string;
  readonly name: string;
  /** Name of the app that runs the tenant's machine. */
  readonly appId?: string | undefined;
  /** Public host without a scheme. */
  readonly hostname?: string | undefined;
  readonly region?: string | undefined;
  /** The local database, or a cloud database as seen from outside. Holds a password. */
  readonly databaseUrl?: string | undefined;
  /** The cloud database as the tenant itself sees it. Holds a password, or a mask in its place. */
  readonly internalDatabaseUrl?: string | undefined;
  readonly tenantType: TenantType;
  /** Whether the cloud database can be reached from outside. */
  readonly externalDbAccess: boolean;
  readonly syncToken?: string | undefined;
  /** Name of a local tenant's database in the shared container. */
  readonly sharedContainerDb?: string | undefined;
}

/** The tenants of a project. */
export interface TenantStore {
  readonly tenants: readonly StoredTenant[];
  /** When the server was last asked. */
  readonly syncedAt: Date;
}

/** A cloud tenant as the server describes it; its database URL is usually masked. */
export function storedTenantFromInfo(info: TenantInfo): StoredTenant {
  return {
    id: info.id,
    name: info.name,
    ...given({ appId: info.appId, hostname: info.hostname, region: info.region }),
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
    ...given({ appId: info.appId, hostname: info.hostname, region: info.region }),
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
    ...given({ syncToken: secrets.syncToken }),
  };
}

/** Without the members that are `undefined`, so that spreading them erases nothing. */
function given<T extends object>(members: T): Partial<T> {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as Partial<T>;
}
