import { eq } from 'drizzle-orm';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { tenantSecrets, tenants } from '../src/store/schema.ts';
import { claimCredentials, credentialsToken } from '../src/tenants/credentials.ts';
import { createRelease, DeployInProgress } from '../src/tenants/deploys.ts';
import { machineEnvironment } from '../src/tenants/environment.ts';
import { createEventFeed } from '../src/tenants/event-feed.ts';
import { appendEvent, listEvents, type StoredEvent } from '../src/tenants/events.ts';
import { deleteSecret, listSecretNames, readSecrets, setSecrets } from '../src/tenants/secrets.ts';
import { TenantStateConflict } from '../src/tenants/state.ts';
import { findOwnedTenant, listOwnedTenants } from '../src/tenants/tenants.ts';
import { insertPaidTenant, insertUser, readTenant, startTestDatabase, type TestDatabase } from './test-database.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await startTestDatabase();
});
afterAll(() => database.close());

const digest = `sha256:${'0'.repeat(64)}`;

test('a payment makes one tenant, however often it is told', async () => {
  const { store } = database;
  const ownerId = await insertUser(store);
  const request = { ownerId, checkoutSessionId: 'cs_once' };
  const made = await Promise.all([1, 2, 3].map(() => insertPaidTenant(store, request)));
  expect(new Set(made.map((tenant) => tenant.id)).size).toBe(1);
  const [tenant] = made;
  expect(tenant).toMatchObject({ name: 'shop', state: 'provisioning', memoryMb: 512, eventSequence: 2 });
  const events = await listEvents(store, { tenantId: tenant?.id ?? '', after: 0, limit: 10 });
  expect(events.map((event) => [event.sequence, event.eventType, event.status])).toEqual([
    [1, 'subscription_created', 'provisioning'],
    [2, 'tenant_created', 'provisioning'],
  ]);
});

test('a name that the owner has already gets a number', async () => {
  const { store } = database;
  const ownerId = await insertUser(store);
  const names: string[] = [];
  for (let round = 0; round < 3; round += 1) names.push((await insertPaidTenant(store, { ownerId })).name);
  expect(names).toEqual(['shop', 'shop-2', 'shop-3']);
  expect((await listOwnedTenants(store, ownerId)).map((tenant) => tenant.name)).toEqual(names);
  const long = 'a'.repeat(40);
  await insertPaidTenant(store, { ownerId, name: long });
  expect((await insertPaidTenant(store, { ownerId, name: long })).name).toBe(`${'a'.repeat(38)}-2`);
});

test("another's tenant, a deleted one and an id that is none are not there", async () => {
  const { store } = database;
  const [ownerId, otherId] = [await insertUser(store), await insertUser(store)];
  const { id } = await insertPaidTenant(store, { ownerId });
  expect(await findOwnedTenant(store, { id, ownerId })).toMatchObject({ id });
  expect(await findOwnedTenant(store, { id, ownerId: otherId })).toBeUndefined();
  expect(await findOwnedTenant(store, { id: "' or true", ownerId })).toBeUndefined();
  await store.db.update(tenants).set({ state: 'deleted' }).where(eq(tenants.id, id));
  expect(await findOwnedTenant(store, { id, ownerId })).toBeUndefined();
  expect(await listOwnedTenants(store, ownerId)).toEqual([]);
});

test('secrets are sealed in the database, versioned, and kept apart by kind', async () => {
  const { store } = database;
  const { id: tenantId } = await insertPaidTenant(store, { ownerId: await insertUser(store) });
  await setSecrets(database, { tenantId, kind: 'user', secrets: { B: 'canary-b', A: 'ä€🦭' } });
  await setSecrets(database, { tenantId, kind: 'user', secrets: { B: 'canary-b2' } });
  await setSecrets(database, { tenantId, kind: 'platform', secrets: { B: 'first' } });
  await setSecrets(database, { tenantId, kind: 'platform', keepExisting: true, secrets: { B: 'second', C: 'third' } });
  expect(await readSecrets(database, { tenantId, kind: 'user' })).toEqual({ A: 'ä€🦭', B: 'canary-b2' });
  expect(await readSecrets(database, { tenantId, kind: 'platform' })).toEqual({ B: 'first', C: 'third' });
  expect(await listSecretNames(store, tenantId)).toEqual(['A', 'B']);

  const rows = await store.db.select().from(tenantSecrets).where(eq(tenantSecrets.tenantId, tenantId));
  expect(rows.find((row) => row.kind === 'user' && row.name === 'B')?.version).toBe(2);
  for (const row of rows) expect(row.ciphertext?.includes('canary')).toBe(false);

  expect(await deleteSecret(store, { tenantId, name: 'C' })).toBe(false);
  expect(await deleteSecret(store, { tenantId, name: 'B' })).toBe(true);
  expect(await readSecrets(database, { tenantId, kind: 'user' })).toEqual({ A: 'ä€🦭' });
  expect(await readSecrets(database, { tenantId, kind: 'platform' })).toMatchObject({ B: 'first' });
});

test('a ciphertext that was moved to another tenant or name does not open', async () => {
  const { store } = database;
  const ownerId = await insertUser(store);
  const [mine, other] = [await insertPaidTenant(store, { ownerId }), await insertPaidTenant(store, { ownerId })];
  await setSecrets(database, { tenantId: mine.id, kind: 'user', secrets: { A: 'one', B: 'two' } });
  await setSecrets(database, { tenantId: other.id, kind: 'user', secrets: { A: 'three' } });
  const [row] = await store.db.select().from(tenantSecrets).where(eq(tenantSecrets.tenantId, other.id));
  await store.db
    .update(tenantSecrets)
    .set({ ciphertext: row?.ciphertext ?? Buffer.alloc(0) })
    .where(eq(tenantSecrets.tenantId, mine.id));
  await expect(readSecrets(database, { tenantId: mine.id, kind: 'user' })).rejects.toThrow();
});

test('credentials are given once, for the right token, and not before they exist', async () => {
  const { store, vault } = database;
  const { id: tenantId } = await insertPaidTenant(store, { ownerId: await insertUser(store) });
  const token = credentialsToken(vault, tenantId);
  const appUrl = 'http://shop.localhost';
  expect(await claimCredentials(database, { tenantId, token, appUrl })).toBe('unknown');
  const secrets = { JWT_SECRET: 'j', DATABASE_URL: 'd', EXTERNAL_DATABASE_URL: 'e', SYNC_TOKEN: 's' };
  await setSecrets(database, { tenantId, kind: 'platform', secrets });
  expect(await claimCredentials(database, { tenantId, token: `${token}x`, appUrl })).toBe('unknown');
  expect(await claimCredentials(database, { tenantId, token: 'x'.repeat(token.length), appUrl })).toBe('unknown');
  const claims = await Promise.all([1, 2, 3, 4].map(() => claimCredentials(database, { tenantId, token, appUrl })));
  expect(claims.filter((claim) => claim !== 'used')).toEqual([
    { jwtSecret: 'j', databaseUrl: 'e', internalDatabaseUrl: 'd', appUrl, syncToken: 's' },
  ]);
  expect(await claimCredentials(database, { tenantId, token, appUrl })).toBe('used');
});

test("the machine's environment: the owner's secrets over the defaults, the platform's own over both", () => {
  const environment = machineEnvironment({
    appName: 'sp-1',
    releaseId: 'r-1',
    databaseUrl: 'postgresql://right',
    platformSecrets: { JWT_SECRET: 'platform', DATABASE_PASSWORD: 'hidden', SYNC_TOKEN: 's' },
    userSecrets: {
      DATABASE_URL: 'postgresql://wrong',
      FLY_APP_NAME: 'x',
      PORT: '1',
      SYNC_TOKEN: 'rotated since',
      EXTERNAL_DATABASE_URL: 'postgresql://not to be reached',
      RUST_LOG: 'debug',
      JWT_SECRET: 'own',
    },
  });
  expect(environment).toEqual({
    HOST: '0.0.0.0',
    PORT: '8080',
    RUST_LOG: 'debug',
    SYSTEMPROMPT_SERVICES_PATH: '/app/services',
    WEB_DIR: '/app/web',
    DATABASE_URL: 'postgresql://right',
    DATABASE_TYPE: 'postgres',
    JWT_SECRET: 'own',
    JWT_ISSUER: 'systemprompt',
    SYNC_TOKEN: 's',
    FLY_APP_NAME: 'sp-1',
    FLY_MACHINE_ID: 'r-1',
  });
});

test('a follower gets what happened and what happens, in order, and ends when told to', async () => {
  const { store } = database;
  const feed = await createEventFeed(store);
  const { id: tenantId } = await insertPaidTenant(store, { ownerId: await insertUser(store) });
  const abort = new AbortController();
  const seen: StoredEvent[] = [];
  const following = (async () => {
    for await (const event of feed.follow(tenantId, { after: 1, signal: abort.signal })) {
      seen.push(event);
      if (event.eventType === 'last') abort.abort();
    }
  })();
  // Many writers at once: numbers are given under the tenant's lock, so none is skipped or seen early.
  const writes = Array.from({ length: 150 }, (_, index) =>
    store.db.transaction((tx) => appendEvent(tx, { tenantId, eventType: `step-${index}` })),
  );
  await Promise.all(writes);
  await store.db.transaction((tx) => appendEvent(tx, { tenantId, eventType: 'last', state: 'awaiting_deploy' }));
  await following;
  expect(seen.map((event) => event.sequence)).toEqual(Array.from({ length: 152 }, (_, index) => index + 2));
  expect(seen.at(-1)).toMatchObject({ status: 'awaiting_deploy', tenantName: 'shop' });
  expect((await readTenant(store, tenantId)).state).toBe('awaiting_deploy');

  const open = feed.follow(tenantId, { after: 153, signal: new AbortController().signal })[Symbol.asyncIterator]();
  const next = open.next();
  await feed.close();
  expect(await next).toEqual({ done: true, value: undefined });
});

test('an event of a transaction that fails is not there, and an event marked once is appended once', async () => {
  const { store } = database;
  const { id: tenantId } = await insertPaidTenant(store, { ownerId: await insertUser(store) });
  const failing = store.db.transaction(async (tx) => {
    await appendEvent(tx, { tenantId, eventType: 'lost' });
    throw new Error('no');
  });
  await expect(failing).rejects.toThrow('no');
  const once = { tenantId, eventType: 'database_created', once: true } as const;
  const events = await Promise.all([1, 2, 3].map(() => store.db.transaction((tx) => appendEvent(tx, once))));
  expect(events.map((event) => event.sequence)).toEqual([3, 3, 3]);
  expect(await listEvents(store, { tenantId, after: 2, limit: 10 })).toHaveLength(1);
});

test('a second deploy waits for the first, and the state decides whether one may start', async () => {
  const { store } = database;
  const { id: tenantId } = await insertPaidTenant(store, { ownerId: await insertUser(store) });
  const request = { tenantId, image: `127.0.0.1:1/systemprompt-images:tenant-${tenantId}`, digest };
  await expect(createRelease({ store }, request)).rejects.toBeInstanceOf(TenantStateConflict);
  await store.db.update(tenants).set({ state: 'awaiting_deploy' }).where(eq(tenants.id, tenantId));
  const results = await Promise.allSettled([1, 2].map(() => createRelease({ store }, request)));
  const [release] = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  const [refusal] = results.flatMap((result): unknown[] => (result.status === 'rejected' ? [result.reason] : []));
  expect(release).toMatchObject({ number: 1, status: 'deploying' });
  expect(refusal).toBeInstanceOf(DeployInProgress);
  expect(refusal).toMatchObject({ releaseId: release?.id, startedAt: release?.createdAt });
  expect((await readTenant(store, tenantId)).state).toBe('deploying');
});
