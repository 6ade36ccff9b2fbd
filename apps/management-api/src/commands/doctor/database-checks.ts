import { Client } from 'pg';
import { listOpenDatabases, privateDatabaseNames } from '../../databases/private-databases.ts';
import type { Store } from '../../store/database.ts';
import { countLackingMigrations, countLaterMigrations } from '../open-database.ts';
import { type Check, failed, ok, warning } from './check.ts';

const oldestServer = 140_000;

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
    { name: 'private databases', run: () => checkPrivate(tenantsUrl, store.url) },
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

async function checkRights(url: string): ReturnType<Check['run']> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  await client.connect();
  try {
    const { rows } = await client.query<{ name: string; roles: boolean; databases: boolean }>(
      `select rolname as name, rolsuper or rolcreaterole as roles, rolsuper or rolcreatedb as databases
       from pg_roles where rolname = current_user`,
    );
    const [role] = rows;
    if (role?.roles !== true) return failed(`the role ${role?.name ?? ''} may not make roles`);
    return role.databases
      ? ok(`the role ${role.name} may make them`)
      : failed(`the role ${role.name} may not make databases`);
  } finally {
    await client.end();
  }
}

/** What a tenant's role could enter besides its own database. */
async function checkPrivate(url: string, controlUrl: string): ReturnType<Check['run']> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  await client.connect();
  try {
    const open = await listOpenDatabases(client, [...privateDatabaseNames(controlUrl), ...privateDatabaseNames(url)]);
    if (open.length === 0) return ok('are closed to the roles of tenants');
    const names = open.map(({ name }) => name).join(', ');
    return warning(
      `every role of the server may enter ${names}; as their owner: REVOKE CONNECT, TEMPORARY ON DATABASE … FROM PUBLIC`,
    );
  } finally {
    await client.end();
  }
}
