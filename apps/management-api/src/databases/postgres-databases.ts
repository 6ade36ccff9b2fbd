import { Client, escapeIdentifier, escapeLiteral } from 'pg';
import type { Databases } from '../ports/databases.ts';
import { scramVerifier } from './scram-verifier.ts';

const databaseNamePattern = /^sp_[0-9a-f]{12}$/;
const connectionLimit = 20;
// Any number; the same in every version of this program.
const lock = 7_300_002;

/**
 * A role and a database for each tenant on one Postgres server. The database belongs to a role that nobody can log in
 * as; the login role is a member of it, so that the password's owner can change without changing what owns the tables.
 */
export function createPostgresDatabases(options: {
  /** Of a role that may make roles and databases; holds its password. */
  readonly adminUrl: string;
}): Databases {
  const admin = new URL(options.adminUrl);
  return {
    create: async ({ databaseName, password, machineHost, login: slot = 'app' }) => {
      const login = loginRole(databaseName, slot);
      const urlFor = (host: string): string =>
        `postgresql://${login}:${encodeURIComponent(password)}@${host}:${admin.port || '5432'}/${databaseName}`;
      await withAdmin(admin, undefined, async (client) => {
        // Two processes that repeat the same step would both find nothing and both create.
        await client.query('select pg_advisory_lock($1, hashtext($2))', [lock, databaseName]);
        await createRoles(client, { owner: databaseName, login, password });
        await createDatabase(client, { databaseName, login });
      });
      await withAdmin(admin, databaseName, (client) => secureDatabase(client, databaseName));
      return { internalUrl: urlFor(machineHost), externalUrl: urlFor(admin.hostname) };
    },

    disableLogin: async ({ databaseName, login: slot }) => {
      const login = loginRole(databaseName, slot);
      await withAdmin(admin, undefined, async (client) => {
        const { rowCount } = await client.query('select 1 from pg_roles where rolname = $1', [login]);
        if (rowCount === 0) return;
        await client.query(`ALTER ROLE ${escapeIdentifier(login)} NOLOGIN PASSWORD NULL`);
        await client.query('select pg_terminate_backend(pid) from pg_stat_activity where usename = $1', [login]);
      });
    },

    drop: async (databaseName) => {
      const roles = [loginRole(databaseName, 'app'), loginRole(databaseName, 'alt'), databaseName];
      await withAdmin(admin, undefined, async (client) => {
        await client.query('select pg_advisory_lock($1, hashtext($2))', [lock, databaseName]);
        await client.query(`DROP DATABASE IF EXISTS ${escapeIdentifier(databaseName)} WITH (FORCE)`);
        for (const role of roles) await client.query(`DROP ROLE IF EXISTS ${escapeIdentifier(role)}`);
      });
    },
  };
}

function loginRole(databaseName: string, login: 'app' | 'alt'): string {
  if (!databaseNamePattern.test(databaseName)) throw new Error(`Not a tenant's database name: ${databaseName}`);
  return `${databaseName}_${login}`;
}

async function withAdmin<T>(
  admin: URL,
  database: string | undefined,
  work: (client: Client) => Promise<T>,
): Promise<T> {
  const url = new URL(admin);
  if (database !== undefined) url.pathname = `/${database}`;
  const client = new Client({ connectionString: url.href, application_name: 'sp-management-api' });
  client.on('error', () => {});
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

async function createRoles(
  client: Client,
  roles: { readonly owner: string; readonly login: string; readonly password: string },
): Promise<void> {
  const owner = escapeIdentifier(roles.owner);
  const login = escapeIdentifier(roles.login);
  const { rows } = await client.query<{ rolname: string }>('select rolname from pg_roles where rolname = any($1)', [
    [roles.owner, roles.login],
  ]);
  const existing = new Set(rows.map((row) => row.rolname));
  const rights = 'NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION';
  if (!existing.has(roles.owner)) await client.query(`CREATE ROLE ${owner} NOLOGIN ${rights}`);
  if (!existing.has(roles.login)) {
    await client.query(`CREATE ROLE ${login} NOLOGIN ${rights} IN ROLE ${owner}`);
  }
  // DDL takes no parameters; a verifier has no characters that would need more than quoting.
  const verifier = escapeLiteral(await scramVerifier(roles.password));
  await client.query(`ALTER ROLE ${login} LOGIN CONNECTION LIMIT ${connectionLimit} PASSWORD ${verifier}`);
}

async function createDatabase(
  client: Client,
  request: { readonly databaseName: string; readonly login: string },
): Promise<void> {
  const { databaseName } = request;
  const name = escapeIdentifier(databaseName);
  const { rowCount } = await client.query('select 1 from pg_database where datname = $1', [databaseName]);
  if (rowCount === 0) {
    // Copying template0 also works while somebody is connected to template1.
    await client.query(`CREATE DATABASE ${name} OWNER ${name} TEMPLATE template0 ENCODING 'UTF8'`);
  }
  await client.query(`REVOKE ALL ON DATABASE ${name} FROM PUBLIC`);
  await client.query(`ALTER DATABASE ${name} CONNECTION LIMIT ${connectionLimit}`);
  // Objects made through the login role belong to the owner.
  const login = escapeIdentifier(request.login);
  await client.query(`ALTER ROLE ${login} IN DATABASE ${name} SET role TO ${escapeLiteral(databaseName)}`);
  await client.query(`GRANT CONNECT, TEMPORARY ON DATABASE ${name} TO ${login}`);
}

async function secureDatabase(client: Client, databaseName: string): Promise<void> {
  await client.query(`ALTER SCHEMA public OWNER TO ${escapeIdentifier(databaseName)}`);
  await client.query('REVOKE ALL ON SCHEMA public FROM PUBLIC');
}
