import { afterAll, beforeAll, expect, test } from 'vitest';
import { databaseChecks } from '../src/commands/doctor/database-checks.ts';
import { makePlainRole, run } from './plain-role.ts';
import { startTestDatabase, type TestDatabase } from './test-database.ts';

let database: TestDatabase;
let plainUrl: string;
beforeAll(async () => {
  database = await startTestDatabase();
  plainUrl = await makePlainRole(database.adminUrl);
});
afterAll(() => database.close());

async function check(name: string, tenantsUrl: string) {
  const found = databaseChecks({ store: database.store, tenantsUrl }).find((one) => one.name === name);
  return await found?.run(AbortSignal.timeout(60_000));
}

test('what is done for every tenant is tried, and leaves nothing', async () => {
  const rights = () => check('tenant databases', plainUrl);
  expect(await check('tenant databases', database.adminUrl)).toMatchObject({ status: 'ok' });
  expect(await rights()).toEqual({
    status: 'ok',
    message: 'the role cloud_admin may make them, and act for their roles',
  });
  await run(database.adminUrl, 'alter role cloud_admin nocreaterole');
  expect(await rights()).toEqual({
    status: 'failed',
    message: 'the role cloud_admin may not make roles and act for them: permission denied to create role',
  });
  await run(database.adminUrl, 'alter role cloud_admin createrole nocreatedb');
  expect(await rights()).toEqual({ status: 'failed', message: 'the role cloud_admin may not make databases' });
  await run(database.adminUrl, 'alter role cloud_admin createdb', 'create role sp_0123456789ab_app nologin');
  expect(await rights()).toEqual({
    status: 'failed',
    message: 'the role cloud_admin may not change sp_0123456789ab_app: grant them to it with admin option',
  });
  await run(database.adminUrl, 'grant sp_0123456789ab_app to cloud_admin with admin option');
  expect(await rights()).toMatchObject({ status: 'ok' });
  expect(await run(database.adminUrl, `select rolname from pg_roles where rolname ~ '^sp_doctor'`)).toEqual([]);
});

test('every database that a tenant could enter is told', async () => {
  await run(database.adminUrl, 'create database reports');
  const before = await check('private databases', plainUrl);
  expect(before?.status).toBe('warning');
  expect(before?.message).toMatch(/may enter control, postgres, reports, .*template1, where what a tenant leaves/);
  const close = (name: string) => `revoke connect, temporary on database ${name} from public`;
  const { rows } = await database.store.pool.query<{ name: string }>(
    'select quote_ident(datname) as name from pg_database where datallowconn',
  );
  await run(database.adminUrl, ...rows.map(({ name }) => close(name)));
  expect(await check('private databases', database.adminUrl)).toMatchObject({ status: 'ok' });
});
