import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describeDatabase } from '@sp/database';
import { removeEmbeddedPostgres, startEmbeddedPostgres, stopEmbeddedPostgres } from '@sp/management-api';
import { loadTenants } from '@sp/tenants';
import { expect, onTestFinished, test } from 'vitest';
import Query from '../src/commands/cloud/db/query.ts';
import Shell from '../src/commands/cloud/db/shell.ts';
import Tables from '../src/commands/cloud/db/tables.ts';
import Url from '../src/commands/cloud/db/url.ts';
import Doctor from '../src/commands/cloud/doctor.ts';
import LocalDown from '../src/commands/cloud/local/down.ts';
import LocalReset from '../src/commands/cloud/local/reset.ts';
import LocalStatus from '../src/commands/cloud/local/status.ts';
import ProfileCreate from '../src/commands/cloud/profile/create.ts';
import Create from '../src/commands/cloud/tenant/create.ts';
import Delete from '../src/commands/cloud/tenant/delete.ts';
import Edit from '../src/commands/cloud/tenant/edit.ts';
import List from '../src/commands/cloud/tenant/list.ts';
import Show from '../src/commands/cloud/tenant/show.ts';
import { runCommand } from './support/run-command.ts';
import { temporaryFolder } from './support/temporary-folder.ts';
import { makeWorld } from './support/world.ts';

/** A project of somebody who is not logged in, and a Postgres of their own in XDG_DATA_HOME. */
async function makeLocalWorld(): Promise<{ cwd: string; env: Record<string, string>; dataDir: string }> {
  const { cwd } = await makeWorld();
  const home = await temporaryFolder();
  const dataDir = join(home, 'systemprompt', 'postgres');
  onTestFinished(() => removeEmbeddedPostgres({ dataDir }));
  return { cwd, env: { XDG_DATA_HOME: home, PATH: '/nowhere' }, dataDir };
}

const parse = (text: string): Record<string, unknown> => JSON.parse(text) as Record<string, unknown>;

test('a database that is of two tenants is not deleted with one of them', async () => {
  const world = await makeLocalWorld();
  const create = ['--type', 'local', '--name'];
  expect((await runCommand(Create, [...create, 'first', '--database', 'embedded'], world)).exitCode).toBe(0);
  const path = join(world.cwd, '.systemprompt/tenants.json');
  const url = (await loadTenants(path))?.tenants[0]?.databaseUrl ?? '';
  const second = await runCommand(Create, [...create, 'second', '--database-url-stdin'], {
    ...world,
    readStdin: async () => url,
  });
  expect(second.exitCode, second.stderr).toBe(0);
  const both = await runCommand(Delete, ['second', '--data', 'delete', '--confirm', 'second', '--json'], world);
  expect(parse(both.stdout)).toMatchObject({
    error: { code: 'SP_CLI_USAGE', message: expect.stringContaining('first') },
  });
  expect((await runCommand(Query, ['select 1', '--profile', 'first'], world)).exitCode).toBe(0);
  const kept = await runCommand(Delete, ['second', '--data', 'keep', '--confirm', 'second'], world);
  expect(kept.stdout).toContain('Its profile is left: systemprompt cloud profile delete second');
  const last = await runCommand(Delete, ['first', '--data', 'delete', '--confirm', 'first', '--json'], world);
  expect(parse(last.stdout)).toMatchObject({ database: 'deleted' });
  // It was the last one: the server has nothing to do, and starts again for the next one.
  await expect(describeDatabase(url)).rejects.toMatchObject({ code: 'SP_DATABASE_UNREACHABLE' });
  expect((await runCommand(Create, [...create, 'third', '--database', 'embedded'], world)).exitCode).toBe(0);
});

test('the Postgres of local tenants is named, stopped and removed with the local cloud', async () => {
  const world = await makeLocalWorld();
  expect(parse((await runCommand(LocalStatus, ['--json'], world)).stdout)).not.toHaveProperty('postgres');
  const argv = ['--type', 'local', '--name', 'dev', '--database', 'embedded'];
  expect((await runCommand(Create, argv, world)).exitCode).toBe(0);
  const status = async (): Promise<unknown> =>
    parse((await runCommand(LocalStatus, ['--json'], world)).stdout)['postgres'];
  expect(await status()).toMatchObject({ running: true, data_dir: world.dataDir });
  expect((await runCommand(Doctor, [], world)).stdout).toContain('The Postgres of local tenants runs at port');
  // A local cloud in another folder is another matter.
  await runCommand(LocalDown, ['--data-dir', 'elsewhere'], world);
  expect(await status()).toMatchObject({ running: true });
  expect(parse((await runCommand(LocalDown, ['--json'], world)).stdout)).toMatchObject({ postgres_stopped: true });
  expect(await status()).toMatchObject({ running: false });
  expect((await runCommand(Query, ['select 1', '--profile', 'dev'], world)).exitCode).toBe(0);
  expect((await runCommand(LocalReset, ['--json'], world)).stdout).toContain('databases of all local tenants');
  const reset = await runCommand(LocalReset, ['--yes', '--json'], world);
  expect(parse(reset.stdout)).toMatchObject({ removed: false, postgres_removed: true });
  expect(existsSync(world.dataDir)).toBe(false);
});

test('a local tenant is made, used, and deleted with its data, without a login', async () => {
  const world = await makeLocalWorld();
  const create = await runCommand(
    Create,
    ['--type', 'local', '--name', 'my dev', '--profile', 'dev', '--database', 'embedded', '--json'],
    world,
  );
  expect(create.exitCode, create.stdout).toBe(0);
  const made = parse(create.stdout) as { tenant: { id: string }; profile: { path: string } };
  expect(made).toMatchObject({ tenant: { name: 'my dev' }, profile: { name: 'dev' }, database: 'embedded' });
  expect(made.tenant.id).toMatch(/^local_[0-9a-f]+$/);

  const stored = await loadTenants(join(world.cwd, '.systemprompt/tenants.json'));
  const password = decodeURIComponent(new URL(stored?.tenants[0]?.databaseUrl ?? '').password);
  expect(password.length).toBeGreaterThanOrEqual(32);
  expect(create.stdout + create.stderr).not.toContain(password);
  expect(await readFile(made.profile.path, 'utf8')).toContain('target: local');

  const write = await runCommand(
    Query,
    ['create table people as select 1 as id, null::text as name', '--write', '--json'],
    world,
  );
  expect(write.exitCode, write.stdout).toBe(0);
  const refused = await runCommand(Query, ['drop table people', '--json'], world);
  expect(refused.exitCode).toBe(1);
  expect(parse(refused.stdout)).toMatchObject({
    error: { code: 'SP_DATABASE_QUERY_FAILED', sql_state: '25006', next: [expect.stringContaining('--write')] },
  });
  const read = await runCommand(Query, ['select * from people', '--profile', 'dev', '--json'], world);
  expect(parse(read.stdout)).toEqual({
    command: 'SELECT',
    columns: ['id', 'name'],
    rows: [[1, null]],
    row_count: 1,
    truncated: false,
  });
  expect((await runCommand(Query, ['select * from people'], world)).stdout).toMatch(/id {2}name\n1 {3}NULL\n.*1 row/);
  expect(parse((await runCommand(Tables, ['--json'], world)).stdout)).toMatchObject({
    total: 1,
    tables: [{ schema: 'public', name: 'people' }],
  });

  const masked = await runCommand(Url, ['--json'], world);
  expect(masked.stdout).not.toContain(password);
  expect((await runCommand(Url, ['--show'], world)).stdout).toContain(password);

  const list = parse((await runCommand(List, ['--json'], world)).stdout);
  expect(list).toMatchObject({ total: 1, tenants: [{ name: 'my dev', tenant_type: 'local', has_database: true }] });
  expect(parse((await runCommand(Show, ['my dev', '--json'], world)).stdout)).toMatchObject({ database: 'embedded' });
  expect((await runCommand(ProfileCreate, ['second', '--tenant', 'my dev', '--json'], world)).exitCode).toBe(0);

  // As after a reboot: what is needed is started again.
  await stopEmbeddedPostgres({ dataDir: world.dataDir });
  expect(
    parse((await runCommand(Query, ['select id from people', '--tenant', 'my dev', '--json'], world)).stdout),
  ).toMatchObject({ rows: [[1]] });

  const asked = await runCommand(Delete, ['my dev', '--json'], world);
  expect(asked.exitCode).toBe(3);
  expect(parse(asked.stdout)).toMatchObject({ error: { flags: ['--data', '--confirm'] } });
  expect(
    (await runCommand(Delete, ['my dev', '--data', 'delete', '--confirm', 'other', '--json'], world)).exitCode,
  ).toBe(2);
  const deleted = await runCommand(Delete, ['my dev', '--data', 'delete', '--confirm', 'my dev', '--json'], world);
  expect(parse(deleted.stdout)).toMatchObject({ deleted: true, database: 'deleted' });
  const gone = await runCommand(Query, ['select 1', '--profile', 'dev', '--json'], world);
  expect(parse(gone.stdout)).toMatchObject({
    error: { code: expect.stringMatching(/SP_DATABASE_(LOGIN_REFUSED|NOT_FOUND)/) },
  });
});

test('a Postgres of your own is tried first, and never deleted', async () => {
  const world = await makeLocalWorld();
  const dataDir = join(await temporaryFolder(), 'own');
  const server = await startEmbeddedPostgres({ dataDir });
  onTestFinished(async () => {
    await server.stop();
    await removeEmbeddedPostgres({ dataDir });
  });
  const argv = ['--type', 'local', '--name', 'own', '--database-url-stdin', '--json'];
  const withUrl = (url: string) => ({ ...world, readStdin: () => Promise.resolve(`${url}\n`) });
  const wrong = server.url.replace(/:[^:@]+@/, ':wrong@');
  expect(parse((await runCommand(Create, argv, withUrl(wrong))).stdout)).toMatchObject({
    error: { code: 'SP_DATABASE_LOGIN_REFUSED' },
  });
  const weak = server.url.replace(/postgres:[^@]+@/, 'reader:reader@');
  const made = await runCommand(Create, argv, withUrl(server.url));
  expect(parse(made.stdout)).toMatchObject({ database: 'external' });
  await runCommand(Query, [`create role reader login password 'reader'`, '--write'], world);
  const unsuitable = await runCommand(Create, [...argv, '--profile', 'weak'], withUrl(weak));
  expect(parse(unsuitable.stdout)).toMatchObject({ error: { code: 'SP_CLI_DATABASE_UNSUITABLE' } });

  const renamed = await runCommand(Edit, ['own', '--name', 'mine', '--json'], world);
  expect(parse(renamed.stdout)).toMatchObject({ tenant_name: 'mine', changed: ['name'] });
  expect((await runCommand(Edit, ['mine', '--memory', '512', '--json'], world)).exitCode).toBe(2);
  expect((await runCommand(Edit, ['mine', '--database-url-stdin', '--json'], withUrl(wrong))).exitCode).toBe(7);
  expect((await runCommand(Delete, ['mine', '--data', 'delete', '--confirm', 'mine', '--json'], world)).exitCode).toBe(
    2,
  );
  const deleted = await runCommand(Delete, ['mine', '--confirm', 'mine', '--json'], world);
  expect(parse(deleted.stdout)).toMatchObject({ database: 'kept' });
  const missing = await runCommand(
    Create,
    ['--type', 'local', '--name', 'x', '--database', 'external', '--json'],
    world,
  );
  expect(missing.exitCode).toBe(3);
});

test('nothing is left of a tenant whose profile cannot be made', async () => {
  const world = await makeLocalWorld();
  const argv = ['--type', 'local', '--name', 'bad/name', '--database', 'embedded', '--json'];
  const failed = await runCommand(Create, argv, world);
  expect(failed.exitCode).not.toBe(0);
  expect(await loadTenants(join(world.cwd, '.systemprompt/tenants.json'))).toBeUndefined();
});

test('a statement from stdin, and a shell that reads a file', async () => {
  const world = await makeLocalWorld();
  await runCommand(Create, ['--type', 'local', '--name', 'dev', '--database', 'embedded'], world);
  const readStdin = (): Promise<string> => Promise.resolve('select 41 + 1 as answer\n');
  expect(parse((await runCommand(Query, ['-', '--json'], { ...world, readStdin })).stdout)).toMatchObject({
    rows: [[42]],
  });
  expect((await runCommand(Query, ['-', '--json'], world)).exitCode).toBe(2);
  expect((await runCommand(Shell, ['--json'], world)).exitCode).toBe(2);
});
