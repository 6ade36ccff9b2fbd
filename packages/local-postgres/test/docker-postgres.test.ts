import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect, promisify } from 'node:util';
import { backUp, describeDatabase, listTables, restore, runQuery, verifyBackup } from '@sp/database';
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest';
import {
  createDockerTools,
  createTenantDatabase,
  type DockerPostgresOptions,
  databaseName,
  dropTenantDatabase,
  forgetTenantDatabase,
  listDatabases,
  listTenantDatabases,
  recordTenantDatabase,
  removeDockerPostgres,
  startDockerPostgres,
} from '../src/index.ts';
import { buildTestImage, canRunPostgres, testImage } from './postgres-image.ts';

const run = promisify(execFile);
const possible = await canRunPostgres();
const name = `sp-test-postgres-${randomBytes(4).toString('hex')}`;
const folders: string[] = [];

beforeAll(async () => {
  if (possible) await buildTestImage();
});
afterAll(async () => {
  if (possible) await removeDockerPostgres({ name, deleteData: true });
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
});
beforeEach((context) => {
  if (possible) return;
  const required = (process.env['SP_REQUIRE'] ?? '').split(',');
  if (required.includes('postgres') && required.includes('docker')) {
    throw new Error('SP_REQUIRE names docker and postgres, and they are absent');
  }
  context.skip('needs docker with Compose, and an installed Postgres to make an image of');
});

async function options(): Promise<DockerPostgresOptions & { readonly folder: string }> {
  const parent = await mkdtemp(join(tmpdir(), 'sp-local-postgres-'));
  folders.push(parent);
  return { folder: join(parent, 'docker'), name, image: testImage };
}

test('a server is made, found again from another project, stopped, started, and its data outlives the container', async () => {
  const first = await options();
  const [made, again] = await Promise.all([startDockerPostgres(first), startDockerPostgres(first)]);
  expect([made.status, again.status].sort()).toEqual(['created', 'running']);
  expect(again.adminUrl).toBe(made.adminUrl);
  await runQuery(made.adminUrl, 'create table kept as select 42 as answer');

  // Only for this computer, and the password only for its owner.
  const { stdout: ports } = await run('docker', ['port', name]);
  expect(ports.trim()).toBe(`5432/tcp -> 127.0.0.1:${made.port}`);
  for (const file of ['shared.yaml', 'shared_config.json']) {
    expect((await stat(join(first.folder, file))).mode & 0o777).toBe(0o600);
  }
  const password = decodeURIComponent(new URL(made.adminUrl).password);
  expect(password.length).toBeGreaterThanOrEqual(32);
  const written = JSON.parse(await readFile(join(first.folder, 'shared_config.json'), 'utf8')) as object;
  expect(Object.keys(written)).toEqual(['admin_password', 'port', 'created_at', 'tenant_databases']);
  expect(written).toMatchObject({ admin_password: password, port: made.port, tenant_databases: [] });

  const second = await options();
  expect(await startDockerPostgres(second)).toEqual({ ...made, status: 'running' });
  await run('docker', ['stop', name]);
  expect(await startDockerPostgres(second)).toEqual({ ...made, status: 'started' });

  // Nobody knows the password any more: the volume is there, and so is the data. Nothing else is.
  await removeDockerPostgres({ name });
  const { stdout: networks } = await run('docker', ['network', 'ls', '--format', '{{.Name}}']);
  expect(networks).not.toContain(name);
  const third = await startDockerPostgres(await options());
  expect(third.status).toBe('created');
  expect(third.adminUrl).not.toBe(made.adminUrl);
  expect((await runQuery(third.adminUrl, 'select answer from kept')).rows).toEqual([[42]]);
  // The first project knows an old password: its own becomes the server's.
  expect((await runQuery((await startDockerPostgres(first)).adminUrl, 'select 1')).rows).toEqual([[1]]);
});

test('a tenant has a database and a role of its own', async () => {
  const given = await options();
  const { adminUrl } = await startDockerPostgres(given);
  const [one, two] = [databaseName('my site', 'a1'), databaseName('2nd', 'b2')];
  expect([one, two]).toEqual(['my_site_a1', 'db_2nd_b2']);
  const url = await createTenantDatabase(adminUrl, { name: one });
  const other = await createTenantDatabase(adminUrl, { name: two });
  expect(await describeDatabase(url)).toMatchObject({
    database: one,
    user: one,
    canCreateTables: true,
    canCreateDatabases: false,
  });
  await runQuery(url, 'create table mine as select 1 as id');

  const across = new URL(url);
  across.pathname = `/${two}`;
  await expect(describeDatabase(across.href)).rejects.toMatchObject({
    code: 'SP_DATABASE_QUERY_FAILED',
    sqlState: '42501',
  });
  expect((await listDatabases(adminUrl)).map(({ name: each, owner }) => [each, owner])).toEqual([
    [two, two],
    [one, one],
  ]);

  // Repeated: a new password, the same data.
  const renewed = await createTenantDatabase(adminUrl, { name: one });
  await expect(describeDatabase(url)).rejects.toMatchObject({ code: 'SP_DATABASE_LOGIN_REFUSED' });
  expect((await runQuery(renewed, 'select id from mine')).rows).toEqual([[1]]);

  await recordTenantDatabase(given.folder, { tenantId: 'local_a1', databaseName: one });
  await recordTenantDatabase(given.folder, { tenantId: 'local_a1', databaseName: one });
  expect(await listTenantDatabases(given.folder)).toEqual([{ tenantId: 'local_a1', databaseName: one }]);
  await forgetTenantDatabase(given.folder, 'local_a1');
  expect(await listTenantDatabases(given.folder)).toEqual([]);

  await dropTenantDatabase(adminUrl, { name: one });
  await dropTenantDatabase(adminUrl, { name: one });
  await dropTenantDatabase(adminUrl, { name: two });
  await expect(describeDatabase(other)).rejects.toMatchObject({ code: 'SP_DATABASE_LOGIN_REFUSED' });
});

test('backups are made and restored in Docker where this computer lacks the programs', async () => {
  const given = await options();
  const { adminUrl } = await startDockerPostgres(given);
  const own = databaseName('backed up', 'c3');
  const url = await createTenantDatabase(adminUrl, { name: own });
  onTestFinished(() => dropTenantDatabase(adminUrl, { name: own }));
  await runQuery(url, 'create table kept as select n, md5(n::text) as text from generate_series(1, 20000) n');
  const ways = {
    inside: createDockerTools({ name, preferred: true }),
    // Another server than that of local tenants: a container of its own.
    beside: createDockerTools({ name: 'none', image: testImage, preferred: true }),
  };
  for (const [way, elsewhere] of Object.entries(ways)) {
    for (const format of ['custom', 'sql'] as const) {
      const path = join(given.folder, `${way}.${format}`);
      const backup = await backUp(url, { path, format, elsewhere });
      expect(backup.rows).toEqual({ 'public.kept': 20_000 });
      await runQuery(url, 'delete from kept where n > 7');
      expect(await restore(url, { path, elsewhere, replace: true })).toEqual({ rows: backup.rows, compared: true });
    }
  }
  const custom = join(given.folder, 'inside.custom');
  expect((await verifyBackup(custom, { serverUrl: adminUrl, elsewhere: ways.inside })).compared).toBe(true);

  // Cut off: the transaction leaves nothing.
  const target = await createTenantDatabase(adminUrl, { name: 'cut_c3' });
  onTestFinished(() => dropTenantDatabase(adminUrl, { name: 'cut_c3' }));
  const cut = join(given.folder, 'cut.dump');
  await writeFile(cut, (await readFile(custom)).subarray(0, 100_000));
  await expect(restore(target, { path: cut, elsewhere: ways.inside })).rejects.toMatchObject({
    code: 'SP_DATABASE_TOOL_FAILED',
  });
  expect(await listTables(target)).toEqual([]);
});

test('what Docker lacks for a backup is told, and no password is in what it is told', async () => {
  const password = 'pass-of-the-url';
  const address = { host: '127.0.0.1', port: 1, user: 'ada', password, database: 'site', tls: 'prefer' } as const;
  const query = { address: { ...address, rootCertificate: undefined }, serverMajor: 15 };
  const fetched: string[] = [];
  const found = (more: object) => createDockerTools({ name: 'none', image: testImage, ...more }).find('pg_dump', query);
  expect(await found({ binary: '/nowhere/docker' })).toEqual({ problem: expect.stringContaining('Docker') });
  const unknown = { image: '127.0.0.1:1/nothing/here:1', onFetch: (image: string) => void fetched.push(image) };
  expect(await found(unknown)).toEqual({ problem: expect.stringContaining('could not fetch 127.0.0.1:1/nothing') });
  expect(fetched).toEqual(['127.0.0.1:1/nothing/here:1']);
  const old = createDockerTools({ name: 'none', image: testImage }).find('pg_dump', { ...query, serverMajor: 999 });
  expect(await old).toEqual({ problem: expect.stringMatching(/has pg_dump \d+$/) });
  const [here, desktop] = [await found({}), await found({ platform: 'darwin' })];
  expect(here).toMatchObject({ address: { host: '127.0.0.1' }, arguments: expect.arrayContaining(['host']) });
  expect(desktop).toMatchObject({ address: { host: 'host.docker.internal' } });
  if ('problem' in here) throw new Error(here.problem);
  expect(here.arguments.join(' ')).not.toContain(password);
});

test('what Docker says about a container that does not start is told', async () => {
  const given = { ...(await options()), name: `${name}-bad` };
  onTestFinished(() => removeDockerPostgres({ name: given.name, deleteData: true }));
  const none = startDockerPostgres({ ...given, image: '127.0.0.1:1/nothing/here:1' });
  await expect(none).rejects.toMatchObject({ code: 'SP_POSTGRES_NOT_STARTED', reason: expect.stringMatching(/\w/) });
  const busy = createServer();
  await new Promise<void>((done) => busy.listen(0, '127.0.0.1', done));
  onTestFinished(() => void busy.close());
  const { port } = busy.address() as { port: number };
  await expect(startDockerPostgres({ ...given, port })).rejects.toMatchObject({
    code: 'SP_POSTGRES_NOT_STARTED',
    reason: expect.stringMatching(/port|address/i),
  });
});

test('a server of which everybody has lost the way is refused by name', async () => {
  const given = await options();
  await startDockerPostgres(given);
  const path = join(given.folder, 'shared_config.json');
  await writeFile(path, '{"admin_password": "secret-in-file", "port": "x"}');
  const error = await startDockerPostgres(given).catch((reason: unknown) => reason);
  expect(error).toMatchObject({ code: 'SP_POSTGRES_CONFIG_INVALID', path });
  expect(inspect(error)).toContain('port');
  expect(inspect(error)).not.toContain('secret-in-file');
  expect(await readFile(path, 'utf8')).toContain('secret-in-file');
});
