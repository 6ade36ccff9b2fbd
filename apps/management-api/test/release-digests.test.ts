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
