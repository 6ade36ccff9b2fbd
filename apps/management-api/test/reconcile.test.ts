import { Client } from 'pg';
import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createPostgresDatabases } from '../src/databases/postgres-databases.ts';
import type { Machines } from '../src/ports/machines.ts';
import { type ReconcileDeps, type ReconcileReport, reconcile } from '../src/reconcile/reconcile.ts';
import { createRelease } from '../src/tenants/deploys.ts';
import { openOperation } from '../src/tenants/operations.ts';
import { setSecrets } from '../src/tenants/secrets.ts';
import type { TenantRow } from '../src/tenants/tenants.ts';
import { ensureDatabase } from '../src/workflows/provision-tenant.ts';
import { type Provider, startProvider } from './crash/provider.ts';
import { createProviderMachines } from './crash/provider-machines.ts';
import { databaseAt, hold, run } from './plain-role.ts';
import { insertPaidTenant, insertUser, readTenant, startTestDatabase, type TestDatabase } from './test-database.ts';

let database: TestDatabase;
let provider: Provider;
let deps: ReconcileDeps;
let ownerId: string;
const images = new Set<string>();
beforeAll(async () => {
  [database, provider] = await Promise.all([startTestDatabase(), startProvider()]);
  ownerId = await insertUser(database.store);
  deps = {
    store: database.store,
    vault: database.vault,
    databases: createPostgresDatabases({ adminUrl: database.adminUrl }),
    machines: createProviderMachines(provider.url, async () => {}),
    images: { listTenants: async () => [...images], remove: async (tenantId) => void images.delete(tenantId) },
    logger: pino({ level: 'silent' }),
  };
});
afterAll(async () => {
  await provider?.stop();
  await database?.close();
});
beforeEach(async () => {
  // Nothing of the test before.
  await database.store.pool.query(`truncate tenants cascade`);
  for (const { databaseName } of await deps.databases.list()) await deps.databases.drop(databaseName);
  provider.apps.clear();
  images.clear();
});

/** A tenant that runs, at the providers too. */
async function runningTenant(name: string): Promise<TenantRow> {
  const { store, vault } = database;
  const { id, appName } = await insertPaidTenant(store, { ownerId, name });
  await store.pool.query(`update tenants set state = 'awaiting_deploy' where id = $1`, [id]);
  await setSecrets({ store, vault }, { tenantId: id, kind: 'platform', secrets: { DATABASE_PASSWORD: 'first' } });
  await ensureDatabase(deps, await readTenant(store, id));
  const release = await createRelease(database, { tenantId: id, image: '127.0.0.1:1/r:t', digest: 'sha256:1' });
  await store.pool.query(`update releases set status = 'running', address = $2 where id = $1`, [
    release.id,
    new URL(provider.url).host,
  ]);
  await store.pool.query(`update tenants set state = 'running', current_release_id = $2 where id = $1`, [
    id,
    release.id,
  ]);
  provider.apps.set(appName, { machines: [machine(release.id)], volumes: 1, addresses: 1 });
  images.add(id);
  return await readTenant(store, id);
}

const machine = (release: string, state: 'running' | 'exited' = 'running') =>
  ({ id: `m-${release}`, release, env: {}, state }) as const;
const set = (tenant: TenantRow, column: string, value: unknown) =>
  database.store.pool.query(`update tenants set ${column} = $2 where id = $1`, [tenant.id, value]);
const appOf = (tenant: TenantRow) => provider.apps.get(tenant.appName);
const brief = ({ findings }: ReconcileReport) =>
  findings.map(({ kind, subject, outcome }) => `${kind} ${subject} ${outcome}`).sort();
const current = (tenant: TenantRow): string => tenant.currentReleaseId ?? '';
const old = '00000000-0000-4000-8000-000000000000';

test('where provider and database agree, nothing is found and nothing is done', async () => {
  const tenant = await runningTenant('quiet');
  for (const repair of [false, true]) {
    expect(await reconcile(deps, { repair })).toEqual({ skipped: false, findings: [], unavailable: [] });
  }
  expect(appOf(tenant)?.machines).toHaveLength(1);
});

test('a machine that is gone starts again, one of another release stops; looking alone changes nothing', async () => {
  const [gone, replaced] = [await runningTenant('gone'), await runningTenant('replaced')];
  appOf(gone)?.machines.splice(0, 1);
  appOf(replaced)?.machines.splice(0, 1, machine(old));
  const expected = (outcome: string) =>
    [
      `machine_missing ${current(gone)} ${outcome}`,
      `machine_missing ${current(replaced)} ${outcome}`,
      `machine_unexpected ${old} ${outcome}`,
    ].sort();
  expect(brief(await reconcile(deps, { repair: false }))).toEqual(expected('reported'));
  expect(appOf(gone)?.machines).toEqual([]);
  expect(brief(await reconcile(deps, { repair: true }))).toEqual(expected('repaired'));
  for (const tenant of [gone, replaced]) {
    expect(appOf(tenant)?.machines).toMatchObject([{ release: current(tenant), state: 'running' }]);
    expect(appOf(tenant)?.machines[0]?.env['DATABASE_URL']).toContain(tenant.databaseName);
  }
  const { rows } = await database.store.pool.query<{ address: string }>('select address from releases where id = $1', [
    current(gone),
  ]);
  expect(rows[0]?.address).toBe(new URL(provider.url).host);
  expect(brief(await reconcile(deps, { repair: true }))).toEqual([]);
});

test('requests go where a machine is, and not to where it was', async () => {
  const moved = await runningTenant('moved');
  const { pool } = database.store;
  await pool.query(`update releases set address = '127.0.0.1:1' where id = $1`, [current(moved)]);
  expect(brief(await reconcile(deps, { repair: false }))).toEqual([`machine_moved ${current(moved)} reported`]);
  expect(brief(await reconcile(deps, { repair: true }))).toEqual([`machine_moved ${current(moved)} repaired`]);
  const { rows } = await pool.query('select address, machine_id from releases where id = $1', [current(moved)]);
  expect(rows).toEqual([{ address: new URL(provider.url).host, machine_id: `m-${current(moved)}` }]);
  expect(brief(await reconcile(deps, { repair: true }))).toEqual([]);
});

test('a suspended tenant has no machine, and one to which something is being done is left alone', async () => {
  const [suspended, busy] = [await runningTenant('suspended'), await runningTenant('busy')];
  await set(suspended, 'state', 'suspended');
  await openOperation(database.store, { tenantId: busy.id, kind: 'restart' });
  appOf(busy)?.machines.splice(0, 1);
  expect(brief(await reconcile(deps, { repair: true }))).toEqual([`machine_unexpected ${current(suspended)} repaired`]);
  expect(appOf(suspended)?.machines).toEqual([]);
  expect(appOf(busy)?.machines).toEqual([]);
});

test('what is left of a deleted tenant goes when its deletion had begun; data that came back stays, and is told', async () => {
  const [begun, restored] = [await runningTenant('begun'), await runningTenant('restored')];
  for (const tenant of [begun, restored]) await set(tenant, 'state', 'deleted');
  for (const tenant of [begun, restored]) await set(tenant, 'current_release_id', null);
  // The process was killed between the mark and the deletion.
  await database.store.pool.query(
    `comment on database ${begun.databaseName} is 'deleted by its owner through SystemPrompt Cloud'`,
  );
  provider.apps.set('sp-unknown', { machines: [machine(old)], volumes: 1, addresses: 1 });
  images.add(old);
  const stranger = 'sp_999999999999';
  await deps.databases.create({ databaseName: stranger, password: 'x', machineHost: '127.0.0.1' });

  const report = await reconcile(deps, { repair: true });
  expect(brief(report)).toEqual(
    [
      `app_unexpected ${begun.appName} reported`,
      `app_unexpected ${restored.appName} reported`,
      `app_unknown sp-unknown reported`,
      `database_unexpected ${begun.databaseName} repaired`,
      `database_unexpected ${restored.databaseName} reported`,
      `database_unexpected ${stranger} reported`,
      `images_unexpected ${begun.id} repaired`,
      `images_unexpected ${restored.id} repaired`,
      `images_unexpected ${old} reported`,
      `machine_unexpected ${current(begun)} repaired`,
      `machine_unexpected ${current(restored)} repaired`,
    ].sort(),
  );
  expect((await deps.databases.list()).map(({ databaseName }) => databaseName)).toEqual(
    [restored.databaseName, stranger].sort(),
  );
  expect(provider.apps.get('sp-unknown')?.machines).toHaveLength(1);
  // Volumes hold data as well.
  expect(appOf(begun)).toMatchObject({ machines: [], volumes: 1 });
});

test('a session that should have ended is ended, and a role that cannot be dropped is told of', async () => {
  const { adminUrl } = database;
  const tenant = await runningTenant('connected');
  const { databaseName } = tenant;
  const url = (await ensureDatabase(deps, tenant)).internalUrl;
  await run(adminUrl, 'create database meadow');
  await run(databaseAt(adminUrl, 'meadow'), 'grant create, usage on schema public to public');
  await run(databaseAt(url, 'meadow'), 'create table grass ()');
  await run(databaseAt(adminUrl, 'meadow'), 'create view cow as select * from grass');
  await deps.databases.create({ databaseName, login: 'alt', password: 'first', machineHost: '127.0.0.1' });
  const left = await hold(url.replace('_app:', '_alt:'));
  // As a process leaves it that is killed between the two.
  await run(adminUrl, `alter role ${databaseName}_alt nologin`);
  expect(brief(await reconcile(deps, { repair: true }))).toEqual([`login_differs ${databaseName}_alt repaired`]);
  await left.ended;

  expect(await deps.databases.drop(databaseName)).toEqual({ keptRoles: [`${databaseName}_app`] });
  await database.store.pool.query(`update tenants set state = 'deleted', current_release_id = null`);
  const unexpected = async () =>
    (await reconcile(deps, { repair: true })).findings.find(({ kind }) => kind === 'database_unexpected');
  expect(await unexpected()).toMatchObject({
    subject: databaseName,
    outcome: 'failed',
    failure: `Roles that own something in another database stay, closed: ${databaseName}_app`,
  });
  await run(databaseAt(adminUrl, 'meadow'), 'drop view cow');
  expect(await unexpected()).toMatchObject({ subject: databaseName, outcome: 'repaired' });
  expect(await unexpected()).toBeUndefined();
});

test('login roles and access from outside become what the database says; a lost database is not replaced by an empty one', async () => {
  const [logins, lost] = [await runningTenant('logins'), await runningTenant('lost')];
  const { databaseName } = logins;
  await deps.databases.disableLogin({ databaseName, login: 'app' });
  const unused = await deps.databases.create({ databaseName, login: 'alt', password: 'y', machineHost: '127.0.0.1' });
  await set(logins, 'external_db_access', true);
  await deps.databases.drop(lost.databaseName);
  expect(brief(await reconcile(deps, { repair: true }))).toEqual(
    [
      `database_missing ${lost.databaseName} reported`,
      `external_access_differs ${databaseName} repaired`,
      `login_differs ${databaseName}_alt repaired`,
      `login_differs ${databaseName}_app repaired`,
    ].sort(),
  );
  const { internalUrl, externalUrl } = await ensureDatabase(deps, logins);
  for (const url of [internalUrl, externalUrl]) expect(await canLogIn(url)).toBe(true);
  expect(await canLogIn(unused.internalUrl)).toBe(false);
  await set(logins, 'external_db_access', false);
  expect(brief(await reconcile(deps, { repair: true }))).toContain(`external_access_differs ${databaseName} repaired`);
  expect(await canLogIn(externalUrl)).toBe(false);
});

test('a provider that is away does not keep the others from being looked at, and a repair that fails says why', async () => {
  const tenant = await runningTenant('away');
  await deps.databases.disableLogin({ databaseName: tenant.databaseName, login: 'app' });
  const away = () => Promise.reject(Object.assign(new Error('no answer'), { code: 'ECONNREFUSED' }));
  const report = await reconcile({ ...deps, machines: { ...deps.machines, list: away } }, { repair: true });
  expect(brief(report)).toEqual([`login_differs ${tenant.databaseName}_app repaired`]);
  expect(report.unavailable).toEqual([{ what: 'machines', reason: 'no answer' }]);

  appOf(tenant)?.machines.splice(0, 1);
  const full = { ...deps, machines: { ...deps.machines, start: away } };
  const { findings } = await reconcile(full, { repair: true });
  expect(findings).toMatchObject([{ kind: 'machine_missing', outcome: 'failed', failure: 'no answer' }]);
});

test('a repair that a provider keeps waiting is left when the process ends', async () => {
  const tenant = await runningTenant('kept-waiting');
  appOf(tenant)?.machines.splice(0, 1);
  const closing = new AbortController();
  const asked: (AbortSignal | undefined)[] = [];
  const start: Machines['start'] = (_, { signal } = {}) => {
    asked.push(signal);
    closing.abort(new Error('the process ends'));
    return new Promise(() => {});
  };
  const machines = { ...deps.machines, start };
  const given = { repair: true, signal: closing.signal };
  await expect(reconcile({ ...deps, machines }, given)).rejects.toThrow('the process ends');
  expect(asked.map((signal) => signal?.aborted)).toEqual([true]);
  // The next one may begin at once.
  expect(brief(await reconcile(deps, { repair: true }))).toEqual([`machine_missing ${current(tenant)} repaired`]);
});

test('two at once are one', async () => {
  const tenants = await Promise.all(['a', 'b', 'c'].map(runningTenant));
  for (const tenant of tenants) appOf(tenant)?.machines.splice(0, 1);
  const reports = await Promise.all([1, 2, 3].map(() => reconcile(deps, { repair: true })));
  expect(reports.filter(({ skipped }) => !skipped).length).toBeGreaterThanOrEqual(1);
  for (const tenant of tenants) expect(appOf(tenant)?.machines).toHaveLength(1);
  expect(provider.repeated).toEqual([]);
});

async function canLogIn(connectionString: string): Promise<boolean> {
  const client = new Client({ connectionString });
  try {
    await client.connect();
    return true;
  } catch {
    return false;
  } finally {
    await client.end();
  }
}
