/** How a tenant reaches its database. */
export interface TenantDatabase {
  /** From the tenant's own machine. */
  readonly internalUrl: string;
  /** From elsewhere on this computer or the internet; works while access from outside is on. */
  readonly externalUrl: string;
}

/** Which database, and how its login role is entered. */
export interface TenantDatabaseRequest {
  readonly databaseName: string;
  readonly password: string;
  /** The login role that has the password; the other one stays as it is. @defaultValue 'app' */
  readonly login?: 'app' | 'alt' | undefined;
  /** Host by which the tenant's machine reaches the server. */
  readonly machineHost: string;
}

/** What a server has of a tenant. */
export interface FoundDatabase {
  readonly databaseName: string;
  /** Whether there is a database besides roles. */
  readonly exists: boolean;
  /** Whether it was about to be deleted by {@link Databases.drop}: what is left of it is nobody's. */
  readonly dropped: boolean;
  /** The login roles whose password is accepted now. */
  readonly logins: readonly ('app' | 'alt')[];
  /** Those of them whose external URL is accepted now. */
  readonly external: readonly ('app' | 'alt')[];
  /** The login roles that somebody is still connected with, from inside or outside, though that is not accepted any more. */
  readonly lingering: readonly ('app' | 'alt')[];
}

/**
 * A database for each tenant on one Postgres server, with two login roles that take turns, and for each of them one for
 * access from outside. Every call may be repeated. Databases that do not follow the names of tenants are never touched.
 */
export interface Databases {
  /** Keeps the roles of tenants out of every database of the server that is not theirs; called at each start. */
  prepare(): Promise<void>;
  /** Makes what is missing and sets the password given; repeating it changes nothing. */
  create(request: TenantDatabaseRequest): Promise<TenantDatabase>;
  /** What {@link Databases.create} returns, without asking the server or making anything. */
  urls(request: TenantDatabaseRequest): TenantDatabase;
  /**
   * Lets the external URL of a login role be used, or no external URL at all: then its connections have ended when this
   * returns. The machine's own role stays as it is. Without a database nothing happens.
   */
  setExternalAccess(
    request: { readonly databaseName: string } & (
      | {
          readonly enabled: true;
          readonly login: 'app' | 'alt';
          /** That of the login role: the external URL's follows from it. */
          readonly password: string;
        }
      | { readonly enabled: false }
    ),
  ): Promise<void>;
  /** Lets nobody log in with a role any more, nor from outside in its place, and returns when its connections have ended. */
  disableLogin(request: { readonly databaseName: string; readonly login: 'app' | 'alt' }): Promise<void>;
  /** Everything of every tenant that the server has. */
  list(): Promise<readonly FoundDatabase[]>;
  /**
   * Deletes a tenant's database with its data and roles. A role that owns something elsewhere on the server, out of reach,
   * is kept; nobody can log in with it.
   */
  drop(databaseName: string): Promise<{ readonly keptRoles: readonly string[] }>;
}
