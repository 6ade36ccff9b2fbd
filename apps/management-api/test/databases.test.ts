import { Client } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createPostgresDatabases } from '../src/databases/postgres-databases.ts';
import { startTestDatabase, type TestDatabase } from './test-database.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await startTestDatabase();
});
afterAll(() => database.close());

async function query(url: string, text: string): Promise<unknown[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(text)).rows;
  } finally {
    await client.end();
  }
}

test('making a database again changes nothing, and the password given last is the one that works', async () => {
  const databases = createPostgresDatabases({ adminUrl: database.adminUrl });
  const request = { databaseName: 'sp_0123456789ab', password: 'p@ss/w:rd', machineHost: '127.0.0.1' };
  const made = await Promise.all([1, 2, 3].map(() => databases.create(request)));
  const [{ internalUrl, externalUrl } = { internalUrl: '', externalUrl: '' }] = made;
  expect(made).toEqual([made[0], made[0], made[0]]);
  expect(new URL(externalUrl).hostname).toBe('127.0.0.1');

  await query(internalUrl, 'create table kept as select 1 as one');
  await databases.create({ ...request, password: 'second' });
  await expect(query(internalUrl, 'select 1')).rejects.toMatchObject({ code: '28P01' });
  const url = internalUrl.replace(/:[^:@]+@/, ':second@');
  expect(await query(url, 'select one from kept')).toEqual([{ one: 1 }]);
  expect(await query(url, `select tableowner from pg_tables where tablename = 'kept'`)).toEqual([
    { tableowner: 'sp_0123456789ab' },
  ]);
});

test("a tenant's role enters no other database and makes none", async () => {
  const databases = createPostgresDatabases({ adminUrl: database.adminUrl });
  const password = 'secret';
  const mine = await databases.create({ databaseName: 'sp_aaaaaaaaaaaa', password, machineHost: '127.0.0.1' });
  await databases.create({ databaseName: 'sp_bbbbbbbbbbbb', password, machineHost: '127.0.0.1' });
  const other = mine.internalUrl.replace(/[^/]+$/, 'sp_bbbbbbbbbbbb');
  await expect(query(other, 'select 1')).rejects.toMatchObject({ code: '42501' });
  await expect(query(mine.internalUrl, 'create database mine')).rejects.toMatchObject({ code: '42501' });
  await expect(query(mine.internalUrl, 'create role mine')).rejects.toMatchObject({ code: '42501' });
  const owner = mine.internalUrl.replace('sp_aaaaaaaaaaaa_app', 'sp_aaaaaaaaaaaa');
  await expect(query(owner, 'select 1')).rejects.toMatchObject({ code: '28P01' });
});

test('the machine gets the host by which it reaches the server', async () => {
  const databases = createPostgresDatabases({ adminUrl: database.adminUrl });
  const request = { databaseName: 'sp_cccccccccccc', password: 'x', machineHost: 'host.docker.internal' };
  const { internalUrl, externalUrl } = await databases.create(request);
  expect(new URL(internalUrl).host).toBe(`host.docker.internal:${new URL(database.adminUrl).port}`);
  expect(new URL(externalUrl).host).toBe(`127.0.0.1:${new URL(database.adminUrl).port}`);
  await expect(databases.create({ ...request, databaseName: 'postgres' })).rejects.toThrow(/Not a tenant/);
});

test('two login roles reach the same tables; closing one ends its connections, and dropping leaves nothing', async () => {
  const databases = createPostgresDatabases({ adminUrl: database.adminUrl });
  const request = { databaseName: 'sp_dddddddddddd', machineHost: '127.0.0.1' };
  const { internalUrl: app } = await databases.create({ ...request, password: 'first' });
  const { internalUrl: alt } = await databases.create({ ...request, password: 'second', login: 'alt' });
  await query(app, 'create table kept as select 1 as one');
  expect(await query(alt, 'select one from kept')).toEqual([{ one: 1 }]);
  await query(alt, 'alter table kept add column two int');
  expect(await query(app, 'select one, two from kept')).toEqual([{ one: 1, two: null }]);

  const open = new Client({ connectionString: app });
  const ended = new Promise((done) => open.on('error', done));
  await open.connect();
  for (const _ of [1, 2]) await databases.disableLogin({ databaseName: request.databaseName, login: 'app' });
  await ended;
  await expect(query(app, 'select 1')).rejects.toMatchObject({ code: '28P01' });
  expect(await query(alt, 'select one from kept')).toEqual([{ one: 1 }]);
  // A role that was closed is opened by making it again.
  await databases.create({ ...request, password: 'third' });
  expect(await query(app.replace(':first@', ':third@'), 'select 1 as one')).toEqual([{ one: 1 }]);

  for (const _ of [1, 2]) await databases.drop(request.databaseName);
  await expect(query(alt, 'select 1')).rejects.toMatchObject({ code: '28P01' });
  const roles = await query(database.adminUrl, `select rolname from pg_roles where rolname like 'sp_dddddddddddd%'`);
  expect(roles).toEqual([]);
  await expect(databases.drop('postgres')).rejects.toThrow(/Not a tenant/);
  await databases.disableLogin({ databaseName: request.databaseName, login: 'alt' });
});
