import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import {
  type BackupFormat,
  type BackupProgress,
  backUp,
  checkBackup,
  cloneDatabase,
  listTables,
  resolvePostgresTool,
  restore,
  runQuery,
  verifyBackup,
} from '../src/index.ts';
import {
  needsPostgres,
  type PostgresServer,
  postgresFolder,
  serverPassword,
  startServer,
  temporaryFolder,
} from './support/postgres-server.ts';
import { fillRichDatabase, fingerprint } from './support/rich-database.ts';

const packageDirectory = fileURLToPath(new URL('..', import.meta.url));
const buildDirectory = join(packageDirectory, 'node_modules', '.test-build');
const fixture = fileURLToPath(new URL('fixtures/run.mjs', import.meta.url));

let server: PostgresServer;
let other: PostgresServer;
let count = 0;
beforeAll(async () => {
  if (postgresFolder === undefined) return;
  [server, other] = await Promise.all([startServer(), startServer()]);
  await runQuery(server.url(), 'create database rich');
  await fillRichDatabase(server.url('rich'));
  const tsup = join(packageDirectory, '..', '..', 'node_modules', 'tsup', 'dist', 'cli-default.js');
  await promisify(execFile)(process.execPath, [tsup, '--out-dir', buildDirectory], { cwd: packageDirectory });
});
afterAll(async () => {
  await server?.stop();
  await other?.stop();
});
beforeEach(needsPostgres);

async function emptyDatabase(where: PostgresServer): Promise<string> {
  const name = `empty${(count += 1)}`;
  await runQuery(where.url(), `create database ${name}`);
  return where.url(name);
}

test.each(['custom', 'sql', 'directory'] satisfies BackupFormat[])(
  'a backup as %s is restored on another server, and is equal',
  async (format) => {
    const folder = await temporaryFolder();
    const path = join(folder, 'new', 'site.backup');
    const seen: BackupProgress[] = [];
    const backup = await backUp(server.url('rich'), { path, format, onProgress: (progress) => seen.push(progress) });
    expect(backup).toMatchObject({ path, format, database: 'rich' });
    expect(backup.rows).toEqual({
      'Odd schema.Tabelle.ü': 666,
      'public.counted': 1,
      'public.parted_new': 100,
      'public.people': 2000,
    });
    expect(await readdir(join(folder, 'new'))).toEqual(['site.backup', 'site.backup.json']);
    if (format !== 'directory') {
      expect((await stat(path)).mode & 0o777).toBe(0o600);
      expect(seen.at(-1)?.bytes).toBe(backup.bytes);
      expect((await stat(path)).size).toBe(backup.bytes);
    }
    const target = await emptyDatabase(other);
    expect(await restore(target, { path })).toEqual({ rows: backup.rows, compared: true });
    expect(await fingerprint(target)).toBe(await fingerprint(server.url('rich')));
    expect((await verifyBackup(path, { serverUrl: other.url() })).compared).toBe(true);
    const left = await runQuery(other.url(), `select count(*)::int from pg_database where datname ~ 'scratch'`);
    expect(left.rows).toEqual([[0]]);
  },
);

test('no password is in any argument, and the programs get nothing but what they need', async () => {
  const folder = await temporaryFolder();
  const log = join(folder, 'log');
  for (const tool of ['pg_dump', 'pg_restore', 'psql']) {
    const path = join(folder, tool);
    await writeFile(
      path,
      `#!/bin/sh\n{ echo "$0 $@"; env | cut -d= -f1; } >> '${log}'\nexec '${postgresFolder}/${tool}' "$@"\n`,
    );
    await chmod(path, 0o755);
  }
  process.env['SP_TEST_CANARY'] = 'canary';
  const toolFolders = [folder];
  for (const format of ['custom', 'sql'] as const) {
    const path = join(folder, format);
    await backUp(server.url('rich'), { path, format, toolFolders });
    await restore(await emptyDatabase(server), { path, toolFolders });
  }
  const said = await readFile(log, 'utf8');
  expect(said).toContain('pg_restore --no-owner');
  expect(said).toContain('psql --no-psqlrc');
  expect(said).toContain('PGPASSWORD');
  expect(said).not.toContain(serverPassword);
  expect(said).not.toContain('SP_TEST_CANARY');
});

test('what is there already is not written over', async () => {
  const path = join(await temporaryFolder(), 'kept');
  await writeFile(path, 'mine');
  await expect(backUp(server.url('rich'), { path })).rejects.toMatchObject({ code: 'SP_DATABASE_BACKUP_EXISTS', path });
  expect(await readFile(path, 'utf8')).toBe('mine');
});

test('limits of time for statements and idle transactions end no backup and no restore', async () => {
  const folder = await temporaryFolder();
  const source = await emptyDatabase(server);
  await fillRichDatabase(source);
  const target = await emptyDatabase(other);
  // Long enough for pg_restore, which begins its transaction before it lifts them.
  const limits = { idle_in_transaction_session_timeout: '250ms', lock_timeout: '1ms' };
  for (const [name, value] of Object.entries(limits)) {
    await runQuery(source, `alter database ${new URL(source).pathname.slice(1)} set ${name} = '${value}'`);
    await runQuery(target, `alter database ${new URL(target).pathname.slice(1)} set ${name} = '${value}'`);
  }
  const { rows } = await backUp(source, { path: join(folder, 'backup') });
  expect(await restore(target, { path: join(folder, 'backup') })).toEqual({ rows, compared: true });
  // SQL of another program does not lift them itself. What takes a while to read is a pause in the transaction.
  const path = join(folder, 'foreign.sql');
  await writeFile(path, `select 1;\n${'-- a pause\n'.repeat(4_000_000)}create table foreign_made (id int);\n`);
  expect((await restore(target, { path, replace: true })).rows).toMatchObject({ 'public.foreign_made': 0 });
});

test('a disk that cannot be written is not taken for a server that does not answer', async () => {
  // Where nobody may make a file, also not root.
  const failed = await backUp(server.url('rich'), { path: '/proc/backup' }).catch((error: unknown) => error);
  expect(failed).toMatchObject({ code: expect.stringMatching(/^E[A-Z]+$/), syscall: expect.any(String) });
});

test('a database with tables is left alone, unless they are to be replaced', async () => {
  const path = join(await temporaryFolder(), 'backup');
  await backUp(server.url('rich'), { path });
  const target = await emptyDatabase(server);
  await runQuery(target, 'create table people (id int)');
  await runQuery(target, 'create table others as select generate_series(1, 7) as id');
  await expect(restore(target, { path })).rejects.toMatchObject({ code: 'SP_DATABASE_NOT_EMPTY' });
  expect((await listTables(target)).map(({ name }) => name)).toEqual(['others', 'people']);
  await restore(target, { path, replace: true });
  expect(await fingerprint(target)).toBe(await fingerprint(server.url('rich')));
  expect((await runQuery(target, 'select count(*)::int from others')).rows).toEqual([[7]]);
  // Once more over itself, as after a mistake.
  await runQuery(target, 'delete from "Odd schema"."Tabelle.ü"');
  expect((await restore(target, { path, replace: true })).compared).toBe(true);
});

test('a backup that was cut or changed is refused before anything is touched', async () => {
  const folder = await temporaryFolder();
  const path = join(folder, 'backup');
  const { bytes } = await backUp(server.url('rich'), { path });
  const target = await emptyDatabase(server);
  const whole = await readFile(path);
  await truncate(path, bytes - 1);
  await expect(restore(target, { path })).rejects.toMatchObject({ code: 'SP_DATABASE_BACKUP_DAMAGED', path });
  const changed = Buffer.from(whole);
  changed[bytes >> 1] = (changed[bytes >> 1] ?? 0) ^ 1;
  await writeFile(path, changed);
  await expect(verifyBackup(path, { serverUrl: server.url() })).rejects.toMatchObject({
    code: 'SP_DATABASE_BACKUP_DAMAGED',
  });
  await writeFile(`${path}.json`, '{"format":"custom"');
  await expect(checkBackup(path)).rejects.toMatchObject({ code: 'SP_DATABASE_BACKUP_DAMAGED', path: `${path}.json` });
  // Without its description the program that reads it finds out, and the transaction leaves nothing.
  await rm(`${path}.json`);
  await truncate(path, bytes - 2_000);
  await expect(restore(target, { path })).rejects.toMatchObject({
    code: 'SP_DATABASE_TOOL_FAILED',
    tool: 'pg_restore',
  });
  expect(await listTables(target)).toEqual([]);
  await expect(restore(target, { path: join(folder, 'none') })).rejects.toMatchObject({
    code: 'SP_DATABASE_BACKUP_NOT_FOUND',
  });
});

test('a verification that is aborted leaves no database behind', async () => {
  const folder = await temporaryFolder();
  const path = join(folder, 'backup');
  await backUp(server.url('rich'), { path });
  const tool = join(folder, 'pg_restore');
  const real = `${postgresFolder}/pg_restore`;
  await writeFile(tool, `#!/bin/sh\n[ "$1" = --version ] && exec '${real}' --version\nexec sleep 600\n`);
  await chmod(tool, 0o755);
  const scratch = async (): Promise<unknown> =>
    (await runQuery(other.url(), `select count(*)::int from pg_database where datname ~ 'scratch'`)).rows[0]?.[0];
  const abort = new AbortController();
  const { signal } = abort;
  const verifying = verifyBackup(path, { serverUrl: other.url(), toolFolders: [folder], signal });
  await expect.poll(scratch, { timeout: 20_000 }).toBe(1);
  abort.abort(new Error('enough'));
  await expect(verifying).rejects.toThrow('enough');
  expect(await scratch()).toBe(0);
});

test('a description that tells other numbers is found out', async () => {
  const path = join(await temporaryFolder(), 'backup');
  await backUp(server.url('rich'), { path });
  const description = JSON.parse(await readFile(`${path}.json`, 'utf8')) as { rows: Record<string, number> };
  description.rows['public.people'] = 1999;
  description.rows['public.gone'] = 3;
  await writeFile(`${path}.json`, JSON.stringify(description));
  await expect(verifyBackup(path, { serverUrl: server.url() })).rejects.toMatchObject({
    code: 'SP_DATABASE_ROWS_DIFFER',
    differences: [
      { table: 'public.people', expected: 1999, found: 2000 },
      { table: 'public.gone', expected: 3, found: undefined },
    ],
  });
});

test('rows are counted at the moment of the backup, while others go on writing', async () => {
  const url = await emptyDatabase(server);
  await runQuery(url, 'create table busy as select generate_series(1, 100000) as id');
  const stop = new AbortController();
  const writer = (async () => {
    while (!stop.signal.aborted) await runQuery(url, 'insert into busy select generate_series(1, 100)');
  })();
  const path = join(await temporaryFolder(), 'backup');
  const backup = await backUp(url, { path });
  stop.abort();
  await writer;
  expect((await verifyBackup(path, { serverUrl: server.url() })).rows).toEqual(backup.rows);
});

test('a database is cloned to another server', async () => {
  const target = await emptyDatabase(other);
  const temporary = await temporaryFolder();
  expect((await cloneDatabase(server.url('rich'), { to: target, temporaryFolder: temporary })).compared).toBe(true);
  expect(await fingerprint(target)).toBe(await fingerprint(server.url('rich')));
  expect(await readdir(temporary)).toEqual([]);
});

test('a program that is too old or absent is named with the version that is needed', async () => {
  const none = join(await temporaryFolder(), 'none');
  await expect(resolvePostgresTool('pg_dump', { serverMajor: 999, toolFolders: [none] })).rejects.toMatchObject({
    code: 'SP_DATABASE_TOOL_MISSING',
    tool: 'pg_dump',
    neededVersion: 999,
  });
});

test('killed at any moment, a backup is whole or not there, and a restore is whole or nothing', async () => {
  const folder = await temporaryFolder();
  const url = await emptyDatabase(server);
  await fillRichDatabase(url, 60_000);
  const target = await emptyDatabase(other);
  const good = join(folder, 'good');
  const { rows } = await backUp(url, { path: good });
  const path = join(folder, 'backup');
  let outcomes = 0;
  for (const wait of [0, 60, 120, 180, 260, 400]) {
    await runAndKill('backUp', { url, options: { path }, wait });
    const made = (await readdir(folder)).includes('backup');
    if (made) expect((await checkBackup(path)).description?.rows).toEqual(rows);
    await rm(path, { force: true });
    await rm(`${path}.json`, { force: true });

    await runAndKill('restore', { url: target, options: { path: good, replace: true }, wait });
    const tables = await settled(() => listTables(target).then((all) => all.map(({ name }) => name)));
    expect([[], ['Tabelle.ü', 'counted', 'names', 'parted', 'parted_new', 'people']]).toContainEqual(tables);
    outcomes += tables.length === 0 ? 1 : 0;
  }
  // Some were killed half-way, or this test shows nothing.
  expect(outcomes).toBeGreaterThan(0);
  expect((await restore(target, { path: good, replace: true })).compared).toBe(true);
  await backUp(url, { path });
  expect((await readdir(folder)).sort()).toEqual(['backup', 'backup.json', 'good', 'good.json']);
});

test('SQL whose feeder is killed leaves nothing, though psql lives on and reads what it was given to the end', async () => {
  const path = join(await temporaryFolder(), 'foreign.sql');
  // More than a pipe holds: psql never gets the last statement. A comment may end anywhere.
  const many = '-- some more\n'.repeat(100_000);
  await writeFile(path, `create table early (id int);\nselect pg_sleep(2);\n${many}create table late (id int);`);
  const target = await emptyDatabase(other);
  const entry = pathToFileURL(join(buildDirectory, 'index.js')).href;
  const child = spawn(process.execPath, [fixture, entry, 'restore', JSON.stringify([null, { path }])], {
    env: { ...process.env, TEST_DATABASE_URL: target },
    stdio: 'ignore',
  });
  const sleeping = `select count(*)::int from pg_stat_activity where query ~ '^select pg_sleep'`;
  await expect.poll(async () => (await runQuery(other.url(), sleeping)).rows).toEqual([[1]]);
  child.kill('SIGKILL');
  await once(child, 'exit');
  expect(await settled(() => listTables(target))).toEqual([]);
});

async function runAndKill(name: string, run: { url: string; options: object; wait: number }): Promise<void> {
  const entry = pathToFileURL(join(buildDirectory, 'index.js')).href;
  const child = spawn(process.execPath, [fixture, entry, name, JSON.stringify([null, run.options])], {
    env: { ...process.env, TEST_DATABASE_URL: run.url },
    stdio: ['ignore', 'pipe', 'ignore'],
    detached: true,
  });
  await once(child.stdout, 'data');
  await delay(run.wait);
  // The whole group, as when the computer loses its power.
  if (child.exitCode === null && child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
}

// The server notices a client's death a moment later.
async function settled<T>(look: () => Promise<T>): Promise<T> {
  await expect
    .poll(
      async () =>
        (await runQuery(other.url(), `select count(*)::int from pg_stat_activity where datname ~ '^empty'`)).rows,
      { timeout: 90_000 },
    )
    .toEqual([[0]]);
  return await look();
}
