import { randomUUID } from 'node:crypto';
import { eq } from 'drizzle-orm';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { findReleaseDigests } from '../src/images/release-digests.ts';
import { releases, tenants } from '../src/store/schema.ts';
import { insertPaidTenant, insertUser, startTestDatabase, type TestDatabase } from './test-database.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await startTestDatabase();
});
afterAll(() => database.close());

test('every release that can be asked for again keeps its image; a deleted tenant keeps none', async () => {
  const { store } = database;
  const ownerId = await insertUser(store);
  const tenant = await insertPaidTenant(store, { ownerId });
  const gone = await insertPaidTenant(store, { ownerId, name: 'gone' });
  const digest = (letter: string) => `sha256:${letter.repeat(64)}` as const;
  const add = async (tenantId: string, number: number, status: 'deploying' | 'running' | 'failed' | 'superseded') => {
    const facts = { id: randomUUID(), tenantId, number, image: 'registry.test/a:b', status };
    await store.db.insert(releases).values({ ...facts, digest: digest(`${number}`) });
  };
  await add(tenant.id, 1, 'superseded');
  await add(tenant.id, 2, 'failed');
  await add(tenant.id, 3, 'running');
  await add(tenant.id, 4, 'deploying');
  await add(gone.id, 5, 'superseded');
  expect((await findReleaseDigests(store)).toSorted()).toEqual(['1', '3', '4', '5'].map(digest));
  await store.db.update(tenants).set({ state: 'deleted' }).where(eq(tenants.id, gone.id));
  expect((await findReleaseDigests(store)).toSorted()).toEqual(['1', '3', '4'].map(digest));
});

test('of many releases the last images stay, what runs, and what a rollback brings back', async () => {
  const { store } = database;
  const tenant = await insertPaidTenant(store, { ownerId: await insertUser(store), name: 'many' });
  const digest = (letter: string) => `sha256:${letter.repeat(64)}` as const;
  const add = async (number: number, letter: string, more: Partial<typeof releases.$inferInsert> = {}) => {
    const facts = { id: randomUUID(), tenantId: tenant.id, number, image: 'registry.test/a:b' };
    const values = { ...facts, status: 'superseded' as const, digest: digest(letter), ...more };
    await store.db.insert(releases).values(values);
    return values.id;
  };
  const find = async (kept: number) =>
    (await findReleaseDigests(store, { kept, tenantId: tenant.id })).map((found) => found.slice(-1)).toSorted();
  for (const [index, letter] of ['1', '2', '3', '4', '5', '5', '5', '6'].entries()) await add(index + 1, letter);
  expect(await find(3)).toEqual(['4', '5', '6']);
  // An old one is what runs, and the one before it what comes next.
  const id = await add(9, '2', { status: 'running', rollbackOf: 2 });
  await store.db.update(tenants).set({ currentReleaseId: id }).where(eq(tenants.id, tenant.id));
  expect(await find(1)).toEqual(['1', '2']);
  expect(await find(3)).toEqual(['1', '2', '5', '6']);
  await add(10, '7', { status: 'failed' });
  expect(await find(2)).toEqual(['1', '2', '6']);
});
