import { inspect } from 'node:util';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { describeDatabase, isDatabaseError, listTables, openSession, runQuery } from '../src/index.ts';
import {
  needsPostgres,
  type PostgresServer,
  postgresFolder,
  serverPassword,
  startServer,
} from './support/postgres-server.ts';

let server: PostgresServer;
beforeAll(async () => {
  if (postgresFolder !== undefined) server = await startServer();
});
afterAll(() => server?.stop());
beforeEach(needsPostgres);

async function failure(work: Promise<unknown>): Promise<Record<string, unknown>> {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!isDatabaseError(error)) throw new Error(`Not a DatabaseError: ${inspect(error)}`);
  expect(inspect(error, { depth: 9, showHidden: true })).not.toContain(serverPassword);
  return Object.fromEntries(Object.entries(error));
}

test('a database is described with what one may do in it', async () => {
  await runQuery(server.url(), "create role guest login password 'guest'");
  await runQuery(server.url(), 'create database described');
  const own = await describeDatabase(server.url('described'));
  expect(own).toMatchObject({
    host: 'localhost',
    port: server.port,
    database: 'described',
    user: 'postgres',
    encrypted: true,
  });
  expect(own).toMatchObject({ canCreateTables: true, canCreateDatabases: true });
  expect(own.serverVersion).toMatch(/^\d+\.\d+$/);
  expect(own.bytes).toBeGreaterThan(1_000_000);
  const guest = await describeDatabase(`postgres://guest:guest@localhost:${server.port}/described?sslmode=disable`);
  expect(guest).toMatchObject({ user: 'guest', encrypted: false, canCreateDatabases: false });
  // Since Postgres 15 the schema `public` is its owner's only.
  expect(guest.canCreateTables).toBe(guest.serverMajor < 15);
});

test('a statement answers columns and rows as Postgres writes them', async () => {
  const sql = `select 1 as n, 2 as n, true as yes, null as nothing, 9007199254740993::int8 as big, '{"a":[1]}'::jsonb as data,
    timestamptz '2026-01-02 03:04:05.678901+00' as at, '\\x00ff'::bytea as bytes, 1.10::numeric as price`;
  const { columns, rows, command, rowCount, truncated } = await runQuery(server.url(), `set time zone 'UTC'`).then(() =>
    runQuery(server.url(), sql),
  );
  expect(columns).toEqual(['n', 'n', 'yes', 'nothing', 'big', 'data', 'at', 'bytes', 'price']);
  const [row = []] = rows;
  expect(row.slice(0, 6)).toEqual([1, 2, true, null, '9007199254740993', '{"a": [1]}']);
  expect(row[6]).toMatch(/05\.678901/);
  expect(row.slice(7)).toEqual(['\\x00ff', '1.10']);
  expect({ command, rowCount, truncated }).toEqual({ command: 'SELECT', rowCount: 1, truncated: false });
});

test('no more rows than asked for are fetched', async () => {
  const many = await runQuery(server.url(), 'select generate_series(1, 1000000000)', { limit: 3 });
  expect(many.rows).toEqual([[1], [2], [3]]);
  expect(many).toMatchObject({ truncated: true, rowCount: 3, command: 'SELECT' });
  const all = await runQuery(server.url(), 'select generate_series(1, 3)', { limit: 3 });
  expect(all).toMatchObject({ truncated: false, rowCount: 3 });
  const none = await runQuery(server.url(), 'select 1 as one where false');
  expect(none).toMatchObject({ columns: ['one'], rows: [], rowCount: 0 });
});

test('values go beside the statement', async () => {
  const nasty = "'; drop table x; --";
  expect((await runQuery(server.url(), 'select $1::text, $2::int + 1', { parameters: [nasty, 41] })).rows).toEqual([
    [nasty, 42],
  ]);
});

test('a session keeps its transaction, and undoes it when it is closed', async () => {
  const session = await openSession(server.url());
  expect(await session.run('create table kept (id int)')).toMatchObject({ command: 'CREATE TABLE', columns: [] });
  await session.run('begin');
  expect(await session.run('insert into kept select generate_series(1, 5)')).toMatchObject({
    command: 'INSERT',
    rowCount: 5,
  });
  await session.close();
  expect((await runQuery(server.url(), 'select count(*)::int from kept')).rows).toEqual([[0]]);
});

test('a read-only statement changes nothing', async () => {
  const error = await failure(runQuery(server.url(), 'create table forbidden (id int)', { readOnly: true }));
  expect(error).toMatchObject({ code: 'SP_DATABASE_QUERY_FAILED', sqlState: '25006' });
  expect((await runQuery(server.url(), `select to_regclass('forbidden')::text`)).rows).toEqual([[null]]);
});

test('tables are listed with their kinds', async () => {
  await runQuery(server.url(), 'create database listed');
  const url = server.url('listed');
  await runQuery(url, 'create schema "Odd name"');
  await runQuery(url, 'create table "Odd name"."Table.1" as select generate_series(1, 100) as id');
  await runQuery(url, 'create view seen as select 1');
  await runQuery(url, 'create table parts (id int) partition by list (id)');
  await runQuery(url, 'analyze "Odd name"."Table.1"');
  const tables = await listTables(url);
  expect(tables.map(({ schema, name, kind, estimatedRows }) => ({ schema, name, kind, estimatedRows }))).toEqual([
    { schema: 'Odd name', name: 'Table.1', kind: 'table', estimatedRows: 100 },
    { schema: 'public', name: 'parts', kind: 'partitioned table', estimatedRows: undefined },
    { schema: 'public', name: 'seen', kind: 'view', estimatedRows: undefined },
  ]);
});

test('what goes wrong has a code', async () => {
  const url = new URL(server.url());
  const wrong = (change: (url: URL) => void): string => {
    const copy = new URL(url);
    change(copy);
    return copy.href;
  };
  expect(await failure(runQuery(server.url(), 'selec 1'))).toMatchObject({
    code: 'SP_DATABASE_QUERY_FAILED',
    sqlState: '42601',
    position: 1,
  });
  expect(await failure(runQuery(server.url(), 'select 1; select 2'))).toMatchObject({
    code: 'SP_DATABASE_QUERY_FAILED',
    sqlState: '42601',
  });
  expect(await failure(describeDatabase(wrong((it) => (it.password = 'wrong'))))).toMatchObject({
    code: 'SP_DATABASE_LOGIN_REFUSED',
  });
  expect(await failure(describeDatabase(wrong((it) => (it.pathname = '/nowhere'))))).toMatchObject({
    code: 'SP_DATABASE_NOT_FOUND',
  });
  expect(await failure(describeDatabase(wrong((it) => (it.port = '1'))))).toMatchObject({
    code: 'SP_DATABASE_UNREACHABLE',
    address: 'localhost:1/postgres',
  });
  expect(await failure(describeDatabase(wrong((it) => (it.search = '?sslmode=verify-full'))))).toMatchObject({
    code: 'SP_DATABASE_UNREACHABLE',
  });
  for (const bad of [
    '',
    'x',
    'mysql://a@b/c',
    'postgres://',
    'postgres://host/db',
    'postgres://a:%zz@host/db',
    'postgres://a@b/c?sslmode=constructor',
  ]) {
    expect(await failure(describeDatabase(bad)), bad).toMatchObject({ code: 'SP_DATABASE_URL_INVALID' });
  }
});

test('the server is trusted when it shows the certificate given', async () => {
  const url = `${server.url()}?sslmode=verify-full&sslrootcert=${encodeURIComponent(`${server.folder}/server.crt`)}`;
  expect(await describeDatabase(url)).toMatchObject({ encrypted: true });
});

test('a statement can be cancelled, and the session goes on', async () => {
  const session = await openSession(server.url());
  const abort = new AbortController();
  const asleep = session.run('select pg_sleep(60)', { signal: abort.signal });
  setTimeout(() => abort.abort(new Error('enough')), 50);
  await expect(asleep).rejects.toThrow('enough');
  expect((await session.run('select 1')).rows).toEqual([[1]]);
  await session.close();
});

test('what is aborted is not worked on by the server for nobody', async () => {
  const abort = new AbortController();
  const asleep = runQuery(server.url(), 'select pg_sleep(61)', { signal: abort.signal });
  const running = async (): Promise<unknown> =>
    (
      await runQuery(
        server.url(),
        `select count(*)::int from pg_stat_activity where query = 'select pg_sleep(61)' and state = 'active'`,
      )
    ).rows[0]?.[0];
  await expect.poll(running, { timeout: 20_000 }).toBe(1);
  abort.abort(new Error('enough'));
  await expect(asleep).rejects.toThrow('enough');
  await expect.poll(running, { timeout: 20_000 }).toBe(0);
});

test('work that is aborted ends at once', async () => {
  const abort = new AbortController();
  const asleep = runQuery(server.url(), 'select pg_sleep(60)', { signal: abort.signal });
  setTimeout(() => abort.abort(new Error('enough')), 50);
  await expect(asleep).rejects.toThrow('enough');
});
