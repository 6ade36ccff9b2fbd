import { randomBytes } from 'node:crypto';
import { Client } from 'pg';
import { createOwnerRole } from '../../databases/login-roles.ts';
import { listOpenDatabases } from '../../databases/private-databases.ts';
import type { Store } from '../../store/database.ts';
import { countLackingMigrations, countLaterMigrations, reasonOf } from '../open-database.ts';
import { type Check, failed, ok, warning } from './check.ts';

const oldestServer = 140_000;
const shown = 5;

/** The control plane's database and that of the tenants. */
export function databaseChecks({ store, tenantsUrl }: { readonly store: Store; readonly tenantsUrl: string }): Check[] {
  return [
    {
      name: 'database',
      run: async () => {
        const { rows } = await store.pool.query<{ number: string; version: string }>(
          `select current_setting('server_version_num') as number, current_setting('server_version') as version`,
        );
        const [{ number, version } = { number: '0', version: 'unknown' }] = rows;
        return Number(number) >= oldestServer
          ? ok(`Postgres ${version}`)
          : failed(`Postgres ${version} is older than 14`);
      },
    },
    {
      name: 'migrations',
      run: async () => {
        const lacking = await countLackingMigrations(store);
        if (lacking === 0) {
          const later = await countLaterMigrations(store);
          if (later === 0) return ok('none are pending');
          return warning(`none are pending, and ${later} are of a later version than this program`);
        }
        return failed(Number.isFinite(lacking) ? `${lacking} are pending` : 'the database is empty');
      },
    },
    {
      name: 'clock',
      run: async () => {
        const before = Date.now();
        const { rows } = await store.pool.query<{ now: Date }>('select clock_timestamp() as now');
        const after = Date.now();
        const theirs = rows[0]?.now.getTime() ?? 0;
        // The answer was made at some time between the two.
        const apart = Math.max(0, before - theirs, theirs - after);
        const message = `${apart} ms apart from the database's`;
        if (apart > 60_000) return failed(message);
        return apart > 2_000 ? warning(message) : ok(message);
      },
    },
    { name: 'notifications', run: () => checkNotifications(store.url) },
    { name: 'tenant databases', run: () => checkRights(tenantsUrl) },
    { name: 'private databases', run: () => checkPrivate(tenantsUrl) },
  ];
}

/** A pooler that gives each transaction another connection would swallow them. */
async function checkNotifications(url: string): ReturnType<Check['run']> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  await client.connect();
  try {
    const heard = new Promise<boolean>((resolve) => {
      client.on('notification', () => resolve(true));
      setTimeout(() => resolve(false), 10_000).unref();
    });
    await client.query('LISTEN sp_doctor');
    await client.query(`select pg_notify('sp_doctor', '')`);
    return (await heard) ? ok('arrive') : failed('do not arrive: is a pooler in between that changes connections?');
  } finally {
    await client.end();
  }
}

/** Does for a moment, in a transaction that is taken back, what is done for every tenant. */
async function checkRights(url: string): ReturnType<Check['run']> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  await client.connect();
  try {
    const { rows } = await client.query<{ name: string; databases: boolean }>(
      `select rolname as name, rolsuper or rolcreatedb as databases from pg_roles where rolname = current_user`,
    );
    const [{ name, databases } = { name: '', databases: false }] = rows;
    if (!databases) return failed(`the role ${name} may not make databases`);
    const reason = await tryRoles(client);
    if (reason !== undefined) return failed(`the role ${name} may not make roles and act for them: ${reason}`);
    const strange = await listStrangeRoles(client);
    if (strange.length === 0) return ok(`the role ${name} may make them, and act for their roles`);
    return failed(`the role ${name} may not change ${listSome(strange)}: grant them to it with admin option`);
  } finally {
    await client.end();
  }
}

async function tryRoles(client: Client): Promise<string | undefined> {
  const role = `sp_doctor_${randomBytes(6).toString('hex')}`;
  await client.query('BEGIN');
  try {
    await createOwnerRole(client, role);
    const { rows } = await client.query<{ acts: boolean }>(`select pg_has_role($1::name, 'USAGE') as acts`, [role]);
    return rows[0]?.acts === true ? undefined : 'what is granted to it has to be inherited';
  } catch (error) {
    return reasonOf(error);
  } finally {
    await client.query('ROLLBACK');
  }
}

/** Roles of tenants that another role has made: from Postgres 16 on, who may make roles may not change those. */
async function listStrangeRoles(client: Client): Promise<readonly string[]> {
  const { rows } = await client.query<{ name: string }>(
    `select rolname as name from pg_roles
     where rolname ~ '^sp_[0-9a-f]{12}(_(app|alt)(_ext)?)?$' and current_setting('server_version_num')::int >= 160000
       and not pg_has_role(oid, 'MEMBER WITH ADMIN OPTION') order by rolname`,
  );
  return rows.map(({ name }) => name);
}

function listSome(names: readonly string[]): string {
  const more = names.length > shown ? ` and ${names.length - shown} more` : '';
  return `${names.slice(0, shown).join(', ')}${more}`;
}

/** What a tenant's role could enter besides its own database. */
async function checkPrivate(url: string): ReturnType<Check['run']> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  await client.connect();
  try {
    const open = await listOpenDatabases(client);
    if (open.length === 0) return ok('are closed to the roles of tenants');
    const names = listSome(open.map(({ name }) => name));
    return warning(
      `every role of the server may enter ${names}, where what a tenant leaves outlives it; as their owner: REVOKE CONNECT, TEMPORARY ON DATABASE … FROM PUBLIC`,
    );
  } finally {
    await client.end();
  }
}
