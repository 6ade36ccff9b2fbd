import { chmod, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import {
  backUp,
  checkBackup,
  listTables,
  resolvePostgresTool,
  restore,
  runQuery,
  type ToolPlace,
} from '../src/index.ts';
import {
  needsPostgres,
  type PostgresServer,
  postgresFolder,
  startServer,
  temporaryFolder,
} from './support/postgres-server.ts';

let server: PostgresServer;
let count = 0;
beforeAll(async () => {
  if (postgresFolder !== undefined) server = await startServer();
}, 120_000);
afterAll(() => server?.stop());
beforeEach((context) => needsPostgres(context));

async function emptyDatabase(): Promise<string> {
  const name = `origin${(count += 1)}`;
  await runQuery(server.url(), `create database ${name}`);
  return server.url(name);
}

/** A folder with a program that says it is of this version, and then does what `script` says. */
async function toolOf(tool: string, { version, script }: { version: string; script: string }): Promise<string> {
  const folder = join(await temporaryFolder(), version);
  await mkdir(folder);
  const answer = `[ "$1" = --version ] && { echo "${tool} (PostgreSQL) ${version}"; exit; }`;
  await writeFile(join(folder, tool), `#!/bin/sh\n${answer}\n${script}\n`);
  await chmod(join(folder, tool), 0o755);
  return folder;
}

const header = (version: string, more = ''): string =>
  `--\n-- PostgreSQL database dump\n--\n\n-- Dumped by pg_dump version ${version}\n\n${more}`;

test('SQL with a byte order mark, as editors write it, is restored', async () => {
  const path = join(await temporaryFolder(), 'marked.sql');
  await writeFile(path, `\u{feff}create table "Bücher" as select 'ä' as title;\n`);
  const target = await emptyDatabase();
  expect((await restore(target, { path })).rows).toEqual({ 'public.Bücher': 1 });
  expect((await runQuery(target, 'select title from "Bücher"')).rows).toEqual([['ä']]);
});

test('what is wrong in SQL is named with its line', async () => {
  const path = join(await temporaryFolder(), 'wrong.sql');
  await writeFile(path, 'select\n1;\ncreate tabel people (id int);\n');
  const failed = { code: 'SP_DATABASE_TOOL_FAILED', message: expect.stringContaining('psql:<stdin>:3: ERROR') };
  await expect(restore(await emptyDatabase(), { path })).rejects.toMatchObject(failed);
});

test.each([
  ['gzip', gzipSync('select 1;')],
  ['UTF-16', Buffer.from('\u{feff}select 1;', 'utf16le')],
  ['tar', Buffer.concat([Buffer.alloc(257, 'x'), Buffer.from('ustar\0'), Buffer.alloc(300)])],
])('a dump in %s is named as what it is, before anything is touched', async (what, content) => {
  const path = join(await temporaryFolder(), 'other');
  await writeFile(path, content);
  const refused = { code: 'SP_DATABASE_BACKUP_UNSUITABLE', path, message: expect.stringContaining(what) };
  await expect(checkBackup(path)).rejects.toMatchObject(refused);
});

test('a dump that is too new for the server is refused with both versions, before anything is touched', async () => {
  const folder = await temporaryFolder();
  const target = await emptyDatabase();
  const own = Number(
    (await runQuery(target, `select current_setting('server_version_num')::int / 10000`)).rows[0]?.[0],
  );
  if (own >= 17) return;
  const sql = join(folder, 'new.sql');
  await writeFile(sql, header('18.1', 'SET transaction_timeout = 0;\ncreate table early (id int);\n'));
  const refused = {
    code: 'SP_DATABASE_BACKUP_UNSUITABLE',
    neededVersion: 17,
    foundVersion: own,
    message: expect.stringMatching(/pg_dump 18\.1 .* Postgres 17.* is Postgres \d+\.\d+/),
  };
  await expect(restore(target, { path: sql })).rejects.toMatchObject(refused);
  // An archive says who wrote it in its binary head: the real one, of another version.
  for (const format of ['custom', 'directory'] as const) {
    const path = join(folder, format);
    await backUp(server.url(), { path, format });
    const file = format === 'custom' ? path : join(path, 'toc.dat');
    const bytes = await readFile(file);
    const version = (await runQuery(target, `show server_version`)).rows[0]?.[0];
    const text = String(version).split(' ')[0] ?? '';
    const head = bytes.toString('latin1', 0, 400);
    expect(head).toContain(text);
    bytes.write(head.replaceAll(text, text.replace(/^\d+/, '18')), 0, 'latin1');
    await writeFile(file, bytes);
    await rm(`${path}.json`);
    await expect(restore(target, { path })).rejects.toMatchObject({
      ...refused,
      message: expect.stringMatching(/pg_dump 18\.\d+ .* Postgres 17.* is Postgres \d+\.\d+/),
    });
  }
  expect(await listTables(target)).toEqual([]);
});

test('psql is taken of the version of the server, else any; one that is older than the marks in a dump gets it without', async () => {
  const path = join(await temporaryFolder(), 'new.sql');
  const content = header('15.99', 'create table early (id int);\n');
  await writeFile(path, `\\restrict abc\n${content}\\unrestrict abc\n`);
  const log = join(await temporaryFolder(), 'input');
  const old = await toolOf('psql', {
    version: '9.6.1',
    script: `cat >'${log}'
if grep -q '\\\\restrict' '${log}'; then printf '%s\\n' 'psql:<stdin>:1: error: invalid command \\restrict' >&2; exit 3; fi`,
  });
  const target = await emptyDatabase();
  // The old one is first on the path, and the one of the server's version is taken.
  expect((await restore(target, { path, toolFolders: [old] })).rows).toEqual({ 'public.early': 0 });
  const asked: number[] = [];
  const elsewhere: ToolPlace = {
    preferred: true,
    find: async (_tool, { serverMajor, address }) => {
      asked.push(serverMajor);
      if (serverMajor > 0) return { problem: 'only an old one is to be had' };
      return { path: join(old, 'psql'), arguments: [], address, version: 9 };
    },
  };
  await restore(await emptyDatabase(), { path, elsewhere });
  expect(asked).toEqual([expect.any(Number), 0]);
  expect(await readFile(log, 'utf8')).toMatch(/^set .* begin; \n--\n/);
  // Nothing but our reading keeps this one to SQL.
  await writeFile(path, `${content}select 'C:\\', '\\! id';\n`);
  const unclear = { code: 'SP_DATABASE_BACKUP_UNSUITABLE', message: expect.stringMatching(/setting .* in line 8$/) };
  await expect(restore(await emptyDatabase(), { path, elsewhere })).rejects.toMatchObject(unclear);
});

test('of several programs the one nearest to the server is taken, and no pg_restore that it would not understand', async () => {
  const versions = ['999.1', '997.2', '14.1'];
  for (const tool of ['pg_dump', 'pg_restore'] as const) {
    const folders = await Promise.all(versions.map((version) => toolOf(tool, { version, script: 'exit 1' })));
    const resolve = (serverMajor: number) => resolvePostgresTool(tool, { serverMajor, toolFolders: folders });
    expect((await resolve(996)).version).toBe(997);
    expect((await resolve(999)).version).toBe(999);
    expect((await resolve(14)).version).toBe(14);
    expect((await resolve(0)).version).toBe(999);
  }
  const only = [await toolOf('pg_restore', { version: '999.1', script: 'exit 1' })];
  await expect(resolvePostgresTool('pg_restore', { serverMajor: 16, toolFolders: only })).rejects.toMatchObject({
    code: 'SP_DATABASE_TOOL_MISSING',
    neededVersion: 16,
    foundVersion: 999,
  });
});
