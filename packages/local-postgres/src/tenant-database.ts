import { randomBytes } from 'node:crypto';
import { openSession } from '@sp/database';
import { LocalPostgresError } from './local-postgres-error.ts';

/** A database on the server, as it is listed. */
export interface DatabaseListing {
  /** Of the database. */
  readonly name: string;
  /** Login role that owns it. */
  readonly owner: string;
  /** On the server's disk. */
  readonly bytes: number;
}

/** Whom a call works for. */
export interface TenantDatabaseOptions {
  /** Name of the database and of the role that owns it: letters, digits and `_`, at most 63. */
  readonly name: string;
  /** Ends the work at once; it can be repeated. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * A name for the database of a tenant: letters, digits and `_`, not beginning with a digit, with a suffix that makes it
 * unique.
 *
 * @example
 * databaseName('my site', '19aa5c1b2f0'); // 'my_site_19aa5c1b2f0'
 */
export function databaseName(tenantName: string, suffix: string): string {
  const plain = tenantName.replaceAll(/\W/g, '_') || 'systemprompt';
  const first = /^\d/.test(plain) ? `db_${plain}` : plain;
  return `${first.slice(0, 62 - suffix.length)}_${suffix}`;
}

/**
 * Makes a database, and a role with a random password that owns it and may do nothing elsewhere. Repeating it gives the
 * role a new password and leaves the data alone.
 * @returns the URL for the tenant; holds the password
 */
export async function createTenantDatabase(adminUrl: string, options: TenantDatabaseOptions): Promise<string> {
  const { name, signal } = options;
  checkName(name);
  const password = randomBytes(24).toString('base64url');
  const session = await openSession(adminUrl, { signal });
  try {
    // A statement that fails would be in the server's log, with the password.
    await session.run('set log_min_error_statement = panic');
    const role = await session.run('select 1 from pg_roles where rolname = $1', { parameters: [name] });
    const rights = 'login nosuperuser nocreatedb nocreaterole noreplication';
    const verb = role.rowCount === 0 ? 'create' : 'alter';
    await session.run(`${verb} role "${name}" ${rights} password '${password}'`);
    const database = await session.run('select 1 from pg_database where datname = $1', { parameters: [name] });
    if (database.rowCount === 0)
      await session.run(`create database "${name}" owner "${name}" template template0 encoding 'UTF8'`);
    await session.run(`revoke all on database "${name}" from public`);
  } finally {
    await session.close();
  }
  const url = new URL(adminUrl);
  url.username = name;
  url.password = password;
  url.pathname = `/${name}`;
  return url.href;
}

/** Deletes a tenant's database with its data, and its role. One that is not there is no error. */
export async function dropTenantDatabase(adminUrl: string, options: TenantDatabaseOptions): Promise<void> {
  const { name, signal } = options;
  checkName(name);
  const session = await openSession(adminUrl, { signal });
  try {
    await session.run(`drop database if exists "${name}" with (force)`);
    await session.run(`drop role if exists "${name}"`);
  } finally {
    await session.close();
  }
}

/** The databases on the server, except its own. */
export async function listDatabases(
  adminUrl: string,
  options: { readonly signal?: AbortSignal | undefined } = {},
): Promise<readonly DatabaseListing[]> {
  const session = await openSession(adminUrl, options);
  try {
    const { rows } = await session.run(
      `select datname::text, pg_get_userbyid(datdba)::text, pg_database_size(oid)::float8
       from pg_database where not datistemplate and datname <> 'postgres' order by 1`,
      { limit: 10_000 },
    );
    return rows.map(([name, owner, bytes]) => ({ name: String(name), owner: String(owner), bytes: Number(bytes) }));
  } finally {
    await session.close();
  }
}

function checkName(name: string): void {
  if (/^[A-Za-z_]\w{0,62}$/.test(name) && !/^(postgres$|template\d|pg_)/.test(name)) return;
  throw new LocalPostgresError(
    'SP_POSTGRES_NAME_INVALID',
    `${JSON.stringify(name)} is no name for a tenant's database`,
  );
}
