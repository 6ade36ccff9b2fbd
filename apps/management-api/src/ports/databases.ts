/** How a tenant reaches its database. */
export interface TenantDatabase {
  /** From the tenant's own machine. */
  readonly internalUrl: string;
  /** From elsewhere on this computer or the internet. */
  readonly externalUrl: string;
}

/** A role and a database for each tenant on one Postgres server. */
export interface Databases {
  /** Makes what is missing and sets the password given; repeating it changes nothing. */
  create(request: {
    readonly databaseName: string;
    readonly password: string;
    /** Host by which the tenant's machine reaches the server. */
    readonly machineHost: string;
  }): Promise<TenantDatabase>;
}
