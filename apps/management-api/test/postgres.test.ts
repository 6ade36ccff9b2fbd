import { existsSync } from 'node:fs';
import { chmod, cp, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { migrateStore, openStore, removeEmbeddedPostgres, startEmbeddedPostgres } from '../src/index.ts';
import { findBinaries, makeReachable } from '../src/postgres/binaries.ts';
import { canReach, findPostgresUser } from '../src/postgres/system-user.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sp postgres '));
});
afterAll(async () => {
  for (const name of ['a', 'b', 'c']) await removeEmbeddedPostgres({ dataDir: join(folder, name) });
  await rm(folder, { recursive: true, force: true });
});

async function query(url: string, text: string): Promise<unknown[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(text)).rows;
  } finally {
    await client.end();
  }
}

test('keeps its data and its port over a stop and a start', async () => {
  const dataDir = join(folder, 'a');
  const first = await startEmbeddedPostgres({ dataDir });
  await query(first.url, 'create table kept as select 42 as answer');
  await first.stop();
  await expect(query(first.url, 'select 1')).rejects.toThrow(/ECONNREFUSED/);

  const second = await startEmbeddedPostgres({ dataDir });
  expect(second.port).toBe(first.port);
  expect(await query(second.url, 'select answer from kept')).toEqual([{ answer: 42 }]);
  expect(await query(second.url, 'show server_encoding')).toEqual([{ server_encoding: 'UTF8' }]);
  expect((await stat(join(dataDir, 'postgres-password'))).mode & 0o777).toBe(0o600);
  const wrong = second.url.replace(/:[^:@]+@/, ':wrong@');
  await expect(query(wrong, 'select 1')).rejects.toMatchObject({ code: '28P01' });
  await second.stop();
});

test('stops the server that a killed process left behind, and starts again', async () => {
  const dataDir = join(folder, 'b');
  const orphan = await startEmbeddedPostgres({ dataDir });
  await query(orphan.url, 'create table kept as select 1 as one');
  // A second start on the same folder is what a process that was killed and started again does.
  const next = await startEmbeddedPostgres({ dataDir });
  expect(await query(next.url, 'select one from kept')).toEqual([{ one: 1 }]);
  await orphan.stop();
  await next.stop();
});

test('a folder that was removed and made again starts empty', async () => {
  const dataDir = join(folder, 'c');
  await mkdir(dataDir);
  await chmod(dataDir, 0o700);
  const first = await startEmbeddedPostgres({ dataDir });
  await query(first.url, 'create table gone as select 1 as one');
  await first.stop();
  await rm(dataDir, { recursive: true });
  const second = await startEmbeddedPostgres({ dataDir });
  await expect(query(second.url, 'select one from gone')).rejects.toMatchObject({ code: '42P01' });
  await second.stop();
  await removeEmbeddedPostgres({ dataDir });
  expect(existsSync(dataDir)).toBe(false);
});

test('a data folder whose password is gone is an error that names the file', async () => {
  const dataDir = join(folder, 'd');
  await mkdir(join(dataDir, 'cluster'), { recursive: true });
  await writeFile(join(dataDir, 'cluster', 'PG_VERSION'), '18\n');
  await expect(startEmbeddedPostgres({ dataDir })).rejects.toMatchObject({
    code: 'SP_LOCAL_DATA_INVALID',
    path: join(dataDir, 'postgres-password'),
  });
  expect(await readFile(join(dataDir, 'cluster', 'PG_VERSION'), 'utf8')).toBe('18\n');
});

test('several processes may migrate an empty database at once', async () => {
  const server = await startEmbeddedPostgres({ dataDir: join(folder, 'a') });
  await query(server.url, 'create database fresh');
  const url = server.url.replace(/postgres$/, 'fresh');
  const stores = await Promise.all([1, 2, 3].map(() => openStore(url)));
  await Promise.all(stores.map((store) => migrateStore(store)));
  expect(await stores[0]?.db.query.tenants.findMany()).toEqual([]);
  await Promise.all(stores.map((store) => store.close()));
  await server.stop();
});

// Only root's Postgres can live outside of its data folder.
test.runIf(process.getuid?.() === 0)(
  'a cluster whose temporary data folder was deleted goes with the next start',
  async () => {
    const closed = await mkdtemp(join(tmpdir(), 'sp-closed-'));
    const first = await startEmbeddedPostgres({ dataDir: join(closed, 'first') });
    const place = await query(first.url, 'show data_directory');
    await first.stop();
    const cluster = (place[0] as { data_directory: string }).data_directory;
    expect(cluster.startsWith(closed)).toBe(false);
    await rm(join(closed, 'first'), { recursive: true });
    const second = await startEmbeddedPostgres({ dataDir: join(closed, 'second') });
    await second.stop();
    expect(existsSync(cluster)).toBe(false);
    await removeEmbeddedPostgres({ dataDir: join(closed, 'second') });
    await rm(closed, { recursive: true });
  },
);

test.runIf(process.getuid?.() === 0)(
  "binaries in a folder that is closed to Postgres' account are copied once",
  async () => {
    const user = await findPostgresUser();
    if (user === undefined) throw new Error('no account for Postgres');
    const closed = await mkdtemp(join(tmpdir(), 'sp-binaries-'));
    const shared = await mkdtemp(join(tmpdir(), 'sp-shared-'));
    await chmod(shared, 0o755);
    const found = await findBinaries();
    await cp(found.folder, join(closed, 'native'), { recursive: true, verbatimSymlinks: true });
    const hidden = { ...found, folder: join(closed, 'native'), postgres: join(closed, 'native', 'bin', 'postgres') };
    expect(await canReach(hidden.postgres, user)).toBe(false);
    const [copy, again] = await Promise.all([1, 2].map(() => makeReachable(hidden, { user, sharedFolder: shared })));
    expect(copy?.postgres).toBe(join(shared, `postgresql-${found.version}`, 'bin', 'postgres'));
    expect(again).toEqual(copy);
    expect(await canReach(copy?.postgres ?? '', user)).toBe(true);
    expect(await makeReachable(found, { user, sharedFolder: shared })).toEqual(
      (await canReach(found.postgres, user)) ? found : copy,
    );
    await rm(closed, { recursive: true });
    await rm(shared, { recursive: true });
  },
);
