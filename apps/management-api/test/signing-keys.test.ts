import { createLocalJWKSet, jwtVerify } from 'jose';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type AccessTokens, accessTokenSeconds, createAccessTokens } from '../src/tokens/access-tokens.ts';
import { startTestDatabase, type TestDatabase } from './test-database.ts';

const day = 24 * 60 * 60_000;
const publishMs = 10 * 60_000;
const issuer = 'http://127.0.0.1:7300';
const user = { id: '5e1ad9a5-3f6c-4f5b-9be9-5f8b2d0f0b11', email: 'ada@example.com' };
let database: TestDatabase;
let now: number;
beforeAll(async () => {
  database = await startTestDatabase();
});
beforeEach(async () => {
  await database.store.pool.query('delete from signing_keys');
  now = Date.UTC(2026, 0, 1);
});
afterAll(() => database.close());

const open = (): Promise<AccessTokens> =>
  createAccessTokens({ store: database.store, vault: database.vault, issuer, now: () => now });
const issue = async (tokens: AccessTokens): Promise<string> => (await tokens.issue(user)).token;
const keyOf = (token: string): string =>
  (JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString()) as { kid: string }).kid;
const published = async (tokens: AccessTokens): Promise<string[]> =>
  (await tokens.jwks()).keys.map((key) => (key as { kid: string }).kid);

test('a key signs for thirty days; the next one takes over, and old tokens stay good until they expire', async () => {
  const tokens = await open();
  const first = await issue(tokens);
  now += 29 * day;
  expect(await tokens.rotateIfDue()).toBeUndefined();
  now += 2 * day;
  const late = await issue(tokens);
  const kid = await tokens.rotateIfDue();
  expect(kid).toBeDefined();
  expect(await tokens.rotateIfDue()).toBeUndefined();
  // Both are known to everybody before the new one signs.
  expect(await published(tokens)).toEqual([kid, keyOf(first)]);
  expect(keyOf(await issue(tokens))).toBe(keyOf(first));
  now += publishMs;
  const next = await issue(tokens);
  expect(keyOf(next)).toBe(kid);
  const keys = createLocalJWKSet(await tokens.jwks());
  for (const token of [late, next]) {
    expect(await tokens.verify(token)).toMatchObject({ userId: user.id });
    await jwtVerify(token, keys, { issuer, currentDate: new Date(now) });
  }
  // Issued before the rotation, and good for as long as it was said to be.
  now = Date.UTC(2026, 0, 1) + 31 * day + accessTokenSeconds * 1000 - 1000;
  expect(await tokens.verify(late)).toMatchObject({ userId: user.id });
  now += 2 * publishMs;
  expect(await tokens.verify(late)).toBeUndefined();
  expect(await published(tokens)).toEqual([kid]);
});

test('of many replicas whose pass comes at once, one makes the key, and all sign and verify with it', async () => {
  const replicas = await Promise.all([open(), open(), open()]);
  now += 31 * day;
  const made = await Promise.all(replicas.map((tokens) => tokens.rotateIfDue()));
  const kids = made.filter((kid) => kid !== undefined);
  expect(kids).toHaveLength(1);
  now += publishMs;
  for (const signer of replicas) {
    const token = await issue(signer);
    expect(keyOf(token)).toBe(kids[0]);
    for (const verifier of replicas) expect(await verifier.verify(token)).toMatchObject({ userId: user.id });
  }
});

test('an operator changes the key when they want to', async () => {
  const tokens = await open();
  const old = await issue(tokens);
  now += 1000;
  const kid = await tokens.rotate();
  expect(await published(tokens)).toEqual([kid, keyOf(old)]);
  expect(await tokens.verify(old)).toBeDefined();
  expect(await tokens.rotateIfDue()).toBeUndefined();
  now += 1000;
  expect(await tokens.rotateIfDue({ maxAgeMs: 500 })).toBeDefined();
});
