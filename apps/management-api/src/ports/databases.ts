/** How a tenant reaches its database. */
export interface TenantDatabase {
  /** From the tenant's own machine. */
  readonly internalUrl: string;
  /** From elsewhere on this computer or the internet. */
  readonly externalUrl: string;
}

/** A database for each tenant on one Postgres server, with two login roles that take turns. Every call may be repeated. */
export interface Databases {
  /** Makes what is missing and sets the password given; repeating it changes nothing. */
  create(request: {
    readonly databaseName: string;
    readonly password: string;
    /** The login role that gets the password; the other one stays as it is. @defaultValue 'app' */
    readonly login?: 'app' | 'alt' | undefined;
    /** Host by which the tenant's machine reaches the server. */
    readonly machineHost: string;
  }): Promise<TenantDatabase>;
  /** Lets nobody log in with a role any more, and ends the connections that it has. */
  disableLogin(request: { readonly databaseName: string; readonly login: 'app' | 'alt' }): Promise<void>;
  /** Deletes a tenant's database with its data and roles. */
  drop(databaseName: string): Promise<void>;
}
