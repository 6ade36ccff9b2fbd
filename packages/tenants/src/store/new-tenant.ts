import type { StoredTenant } from './stored-tenant.ts';

/** What a local tenant is made of. */
export interface NewLocalTenant {
  /** The user's name for it. */
  readonly name: string;
  /** The database on this computer. Holds a password. */
  readonly databaseUrl: string;
  /**
   * The tenant's id.
   *
   * @defaultValue `local_` and the time in hexadecimal milliseconds, as the predecessor makes them
   */
  readonly id?: string | undefined;
  /** The time, in milliseconds. @defaultValue Date.now */
  readonly now?: (() => number) | undefined;
}

/** What a local tenant in the shared Postgres container is made of. */
export interface NewSharedLocalTenant extends NewLocalTenant {
  /** Name of its database in the container. */
  readonly sharedContainerDb: string;
}

/** What a cloud tenant is made of. */
export interface NewCloudTenant {
  /** The server's id. */
  readonly id: string;
  /** The user's name for it. */
  readonly name: string;
  /** Name of the app that runs its machine. */
  readonly appId?: string | undefined;
  /** Public host without a scheme. */
  readonly hostname?: string | undefined;
  /** Region code, such as `iad`. */
  readonly region?: string | undefined;
  /** The database as seen from outside. */
  readonly databaseUrl?: string | undefined;
  /** The database as the tenant itself sees it. */
  readonly internalDatabaseUrl: string;
  /** Whether the database can be reached from outside. */
  readonly externalDbAccess: boolean;
  /** For file synchronisation. A secret. */
  readonly syncToken?: string | undefined;
}

/**
 * A tenant with a database of its own on this computer.
 *
 * @example
 * newLocalTenant({ name: 'site', databaseUrl }).id; // 'local_19aa5c1b2f0'
 */
export function newLocalTenant(options: NewLocalTenant): StoredTenant {
  const { name, databaseUrl, now = Date.now, id = `local_${now().toString(16)}` } = options;
  return { id, name, databaseUrl, tenantType: 'local', externalDbAccess: false };
}

/** A tenant whose database is in the Postgres container that the local tenants share. */
export function newSharedLocalTenant(options: NewSharedLocalTenant): StoredTenant {
  return { ...newLocalTenant(options), sharedContainerDb: options.sharedContainerDb };
}

/** A tenant in the cloud, credentials included. */
export function newCloudTenant(options: NewCloudTenant): StoredTenant {
  const { id, name, appId, hostname, region, databaseUrl, internalDatabaseUrl, externalDbAccess, syncToken } = options;
  const members = { appId, hostname, region, databaseUrl, internalDatabaseUrl, syncToken };
  return { id, name, ...givenMembers(members), tenantType: 'cloud', externalDbAccess };
}

/** Without the members that are `undefined`, so that spreading them erases nothing. */
export function givenMembers<T extends object>(members: T): Partial<T> {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as Partial<T>;
}
