import { access, appendFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { backUp, listTables, restore, runQuery } from '../src/index.ts';
import { restorableSql } from '../src/restorable-sql.ts';
import { UnrestorableSql } from '../src/unrestorable-sql.ts';
import {
  needsPostgres,
  type PostgresServer,
  postgresFolder,
  startServer,
  temporaryFolder,
} from './support/postgres-server.ts';

async function read(sql: string, { strict = true, size = 65_536 } = {}): Promise<string> {
  const bytes = Buffer.from(sql);
  async function* chunks(): AsyncGenerator<Buffer> {
    for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
  }
  const parts: Buffer[] = [];
  for await (const part of restorableSql(chunks(), { strict })) parts.push(part);
  return Buffer.concat(parts).toString();
}

/** What comes of it in pieces of any size. */
async function readAnyhow(sql: string): Promise<string> {
  const whole = await read(sql);
  for (const size of [1, 2, 3, 5, 7]) expect(await read(sql, { size }), `in pieces of ${size}`).toBe(whole);
  return whole;
}

async function problemOf(sql: string, options: { strict?: boolean } = {}): Promise<string> {
  const problems: string[] = [];
  for (const size of [1, 2, 3, 65_536]) {
    const error = await read(sql, { ...options, size }).catch((reason: unknown) => reason);
    if (!(error instanceof UnrestorableSql)) throw new Error(`Taken in pieces of ${size}: ${sql}`);
    problems.push(error.message);
  }
  expect(new Set(problems).size).toBe(1);
  return problems[0] ?? '';
}

const atomic = `create or replace function f() returns int language sql
begin atomic select case when true then 1 else 2 end; select 3; end;\n`;

test.each([
  String.raw`select '\! id', E'it\'s \\! \'', "a\! b", $$\! id$$, $a$ $$ \! $b$ $a$;`,
  `select 'it''s' -- \\! id\n, "a""b" /* /* \\! */ ' */ || 'x'; select $1, a[1:2], 1e5, 1.5e-3, a$b$c;\n`,
  "select U&'d\\0061t', x'1F', date '2020-01-01', fooE 'x', e'\\\\' :: text;\n",
  'COPY public.t (a, "FROM") FROM stdin;\n1\t\\\\! id\n\\N\t\\.x\n\\.\n\nselect 1;\n',
  'copy t from stdin with (format csv);\r\n"a\n\\! id"\r\n\\.\r\nselect 1;',
  'COPY t FROM stdin;\n\\.\n',
  atomic,
  'create rule r as on insert to t do also (delete from a; delete from b);\nselect 1;\n',
  'prepare p as select 1; execute p; savepoint a; release a;\n',
  "select 'ä', \"é\"'ß' , $ü$x$ü$;",
])('SQL is passed on as it is: %s', async (sql) => {
  expect(await readAnyhow(sql)).toBe(sql);
});

test('brackets of transactions and the marks of newer dumps are left out, and lines stay where they are', async () => {
  const sql = `\\restrict abcDEF12\n\nBEGIN;\n\nselect lo_open(1, 2);\n\nCOMMIT;\nstart\n transaction ; select 2;\nend work;\n\\unrestrict abcDEF12\ncommit`;
  expect(await readAnyhow(sql)).toBe('\n\n\n\nselect lo_open(1, 2);\n\n\n\n select 2;\n\n\n');
  expect(await readAnyhow(`${atomic}commit;select 1`)).toBe(`${atomic}select 1`);
});

test.each([
  ['\\! id', /command of psql in line 1$/],
  ['select 1;\n\n  \\! id\n', /command of psql in line 3$/],
  ['select 1 \\g |id\n', /command of psql/],
  ['select 1 \\; select 2;\n', /command of psql/],
  ['\\restrict a b\n', /command of psql/],
  ['select 1 \\restrict a\n', /command of psql/],
  ['-- a comment ends here\r\\! id\n', /command of psql/],
  ['/* /* */ */ \\! id', /command of psql/],
  ["select E'\\\\'; \\! id '", /command of psql/],
  ["select 'a$b$' \\! id '", /command of psql/],
  ['select a$b$ \\! id $b$', /command of psql/],
  ['copy t from stdin;\n1\n\\.\n\\! id\n', /command of psql in line 4$/],
  ["copy t from 'stdin';\n\\! id\n", /command of psql/],
  ['copy "stdin" to stdout;\n\\! id\n', /command of psql/],
  ['copy t from stdin; select 1;\n', /more in the line/],
  ["select E'a'\n'\\'; \\! id '", /goes on/],
  ['select 1a$b$ \\! $b$', /number/],
  ["select 1E'\\'; \\! id '", /number/],
  ['select 1;\nrollback;', /transactions, rollback in line 2$/],
  ['begin isolation level serializable;', /transactions, begin/],
  ['commit and chain;', /transactions, commit/],
  ["commit prepared 'x';", /transactions, commit/],
  ["prepare transaction 'x';", /transactions, prepare/],
  ['abort;', /transactions, abort/],
  ['select 1;\0', /zero byte/],
  ["select 'a", /ends within a text/],
  ["select E'a\\", /ends within a text/],
  ['select $a$ $$', /ends within a text/],
  ['copy t from stdin;\n1\n', /ends within rows/],
])('what is no SQL to restore is refused: %j', async (sql, problem) => {
  expect(await problemOf(sql)).toMatch(problem);
});

test('a text that may end elsewhere is refused where nothing else keeps psql to SQL', async () => {
  const sql = "insert into paths values ('C:\\'), ('D:\\x\\\\');\n";
  expect(await problemOf(sql)).toMatch(/depends on a setting/);
  expect(await read(sql, { strict: false })).toBe(sql);
});

let server: PostgresServer;
let count = 0;
beforeAll(async () => {
  if (postgresFolder !== undefined) server = await startServer();
}, 120_000);
afterAll(() => server?.stop());

async function emptyDatabase(): Promise<string> {
  const name = `sql${(count += 1)}`;
  await runQuery(server.url(), `create database ${name}`);
  return server.url(name);
}

test('a dump that runs a program or ends the transaction leaves nothing', async (context) => {
  needsPostgres(context);
  const folder = await temporaryFolder();
  const marker = join(folder, 'pwned');
  const path = join(folder, 'bad.sql');
  const head = '--\n-- PostgreSQL database dump\n--\n\ncreate table a (id int);\n';
  const target = await emptyDatabase();
  for (const bad of [`\\! touch ${marker}\n`, `select 1 \\g |touch ${marker}\n`, `\\copy a to '${marker}'\n`]) {
    await writeFile(path, `${head}${bad}`);
    await expect(restore(target, { path })).rejects.toMatchObject({
      code: 'SP_DATABASE_BACKUP_UNSUITABLE',
      path,
      message: expect.stringContaining('There is a command of psql in line 6') as string,
    });
  }
  await expect(access(marker)).rejects.toMatchObject({ code: 'ENOENT' });
  await writeFile(path, `${head}commit;\ncreate table b (id int);\nselect 1/0;\n`);
  await expect(restore(target, { path })).rejects.toMatchObject({
    code: 'SP_DATABASE_TOOL_FAILED',
    message: expect.stringContaining('psql:<stdin>:8: ERROR') as string,
  });
  await writeFile(path, `${head}rollback;\n`);
  await expect(restore(target, { path })).rejects.toMatchObject({ code: 'SP_DATABASE_BACKUP_UNSUITABLE' });
  // A backup that was cut while rows were written.
  await writeFile(path, `${head}copy a from stdin;\n1\n`);
  await expect(restore(target, { path })).rejects.toMatchObject({ code: 'SP_DATABASE_BACKUP_DAMAGED' });
  expect(await listTables(target)).toEqual([]);
});

test('large objects come back, and what fails after them takes them along', async (context) => {
  needsPostgres(context);
  const path = join(await temporaryFolder(), 'objects.sql');
  const source = await emptyDatabase();
  await runQuery(source, `create table t as select lo_from_bytea(0, '\\x5c2120') as object, 'C:\\'::text as path`);
  await backUp(source, { path, format: 'sql' });
  const [whole, failing] = [await emptyDatabase(), await emptyDatabase()];
  await restore(whole, { path });
  const content = `select encode(lo_get(object), 'hex'), path from t`;
  expect((await runQuery(whole, content)).rows).toEqual([['5c2120', 'C:\\']]);
  await rm(`${path}.json`);
  await appendFile(path, 'select 1/0;\n');
  await expect(restore(failing, { path })).rejects.toMatchObject({ code: 'SP_DATABASE_TOOL_FAILED' });
  expect((await runQuery(failing, 'select count(*)::int from pg_largeobject_metadata')).rows).toEqual([[0]]);
});
