import { randomBytes } from 'node:crypto';
import { getTableColumns, is } from 'drizzle-orm';
import { PgTable } from 'drizzle-orm/pg-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import * as schema from '../src/store/schema.ts';
import { readSecrets, setSecrets } from '../src/tenants/secrets.ts';
import { loadSigningKeys } from '../src/tokens/signing-keys.ts';
import { createVault } from '../src/vault/file-vault.ts';
import { rotateKeys } from '../src/vault/rotate-keys.ts';
import { insertPaidTenant, insertUser, startTestDatabase, type TestDatabase } from './test-database.ts';

const [first, second] = [randomBytes(32), randomBytes(32)];
const old = createVault(first);
const both = createVault(second, { previousKeys: [first] });
const fresh = createVault(second);
let database: TestDatabase;
let tenants: string[];
let ownerId: string;
beforeAll(async () => {
  database = await startTestDatabase();
  ownerId = await insertUser(database.store);
  tenants = [];
  for (let index = 0; index < 12; index += 1) {
    const { id } = await insertPaidTenant(database.store, { ownerId, name: `shop-${index}` });
    await set(old, id, { API_KEY: `secret-${index}` });
    tenants.push(id);
  }
  await loadSigningKeys({ store: database.store, vault: old });
  await insertAnswer('answered', await old.seal(Buffer.from('answer'), `idempotency|${ownerId}|answered`));
  const sealedEffect = await old.seal(Buffer.from('"made"'), `idempotency|${ownerId}|begun`);
  await database.store.db
    .insert(schema.idempotencyKeys)
    .values({ userId: ownerId, key: 'begun', fingerprint: 'f', sealedEffect });
});
afterAll(() => database.close());

type Vault = typeof old;
const set = (vault: Vault, tenantId: string, secrets: Record<string, string>) =>
  setSecrets({ store: database.store, vault }, { tenantId, kind: 'user', secrets });
const read = (vault: Vault, tenantId: string) =>
  readSecrets({ store: database.store, vault }, { tenantId, kind: 'user' });

async function insertAnswer(key: string, sealedAnswer: Buffer): Promise<void> {
  await database.store.db
    .insert(schema.idempotencyKeys)
    .values({ userId: ownerId, key, fingerprint: 'f', status: 'answered', sealedAnswer });
}

test('a rotation that is interrupted anywhere loses nothing, goes on, and makes the old key needless', async () => {
  // Interrupted after a few values, by a signal and by a database that fails.
  let left = 3;
  const closing = new AbortController();
  const interrupted: Vault = {
    ...both,
    reseal: async (sealed, context) => {
      left -= 1;
      if (left === 0) closing.abort(new Error('interrupted'));
      return await both.reseal(sealed, context);
    },
  };
  await expect(rotateKeys({ store: database.store, vault: interrupted }, { signal: closing.signal })).rejects.toThrow(
    'interrupted',
  );
  for (const [index, id] of tenants.entries()) expect(await read(both, id)).toEqual({ API_KEY: `secret-${index}` });
  const wrapped = async () =>
    (await database.store.db.select().from(schema.tenantKeys)).filter((row) => row.keyEncryptionKeyId === both.keyId);
  expect(await wrapped()).toHaveLength(3);

  const result = await rotateKeys({ store: database.store, vault: both });
  expect(result).toEqual({
    keyId: fresh.keyId,
    resealed: { tenant_keys: 9, signing_keys: 1, idempotency_keys: 2 },
    unreadable: 0,
  });
  const again = await rotateKeys({ store: database.store, vault: both });
  expect(again.resealed).toEqual({ tenant_keys: 0, signing_keys: 0, idempotency_keys: 0 });

  // Without the old key.
  for (const [index, id] of tenants.entries()) expect(await read(fresh, id)).toEqual({ API_KEY: `secret-${index}` });
  expect(await loadSigningKeys({ store: database.store, vault: fresh })).toHaveLength(1);
  const kept = await database.store.db.select().from(schema.idempotencyKeys);
  const opened = kept.map(async ({ key, sealedAnswer, sealedEffect }) =>
    (await fresh.open(sealedAnswer ?? sealedEffect ?? Buffer.alloc(0), `idempotency|${ownerId}|${key}`)).toString(),
  );
  expect((await Promise.all(opened)).sort()).toEqual(['"made"', 'answer']);
  await expect(read(old, tenants[0] ?? '')).rejects.toThrow();
});

test('requests go on during a rotation, and two rotations at once are one', async () => {
  const third = randomBytes(32);
  const next = createVault(third, { previousKeys: [second] });
  const rotation = new AbortController();
  const requests = tenants.map(async (id, index) => {
    let count = 0;
    do {
      count += 1;
      await set(next, id, { API_KEY: `secret-${index}`, COUNT: String(count) });
      expect(await read(next, id)).toEqual({ API_KEY: `secret-${index}`, COUNT: String(count) });
    } while (!rotation.signal.aborted);
  });
  const late = (async () => {
    const { id } = await insertPaidTenant(database.store, { ownerId, name: 'late' });
    await set(next, id, { API_KEY: 'late' });
    return id;
  })();
  const results = await Promise.all([1, 2].map(() => rotateKeys({ store: database.store, vault: next })));
  rotation.abort();
  await Promise.all(requests);
  expect(results.map(({ unreadable }) => unreadable)).toEqual([0, 0]);
  const newest = createVault(third);
  for (const [index, id] of tenants.entries()) {
    expect(await read(newest, id)).toMatchObject({ API_KEY: `secret-${index}` });
  }
  expect(await read(newest, await late)).toEqual({ API_KEY: 'late' });
});

test('what no key opens is left and counted', async () => {
  const lost = await createVault(randomBytes(32)).seal(Buffer.from('x'), `idempotency|${ownerId}|lost`);
  await insertAnswer('lost', lost);
  const { rows } = await database.store.pool.query<{ sealed_answer: Buffer }>(
    `select sealed_answer from idempotency_keys where key = 'lost'`,
  );
  const result = await rotateKeys({ store: database.store, vault: createVault(randomBytes(32)) });
  expect(result.unreadable).toBeGreaterThan(13);
  expect(rows[0]?.sealed_answer).toEqual(lost);
});

test('every column that the vault seals is rotated', () => {
  const sealed = (Object.values(schema) as unknown[])
    .filter((table): table is PgTable => is(table, PgTable))
    .flatMap((table) => Object.entries(getTableColumns(table)))
    .filter(([, column]) => column.getSQLType() === 'bytea')
    .map(([name]) => name)
    .sort();
  // `ciphertext` is the tenant's data key's.
  expect(sealed).toEqual(['ciphertext', 'sealedAnswer', 'sealedEffect', 'sealedPrivateJwk', 'wrappedKey']);
});
