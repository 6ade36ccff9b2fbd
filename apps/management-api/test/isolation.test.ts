import { randomUUID } from 'node:crypto';
import { contract, type Endpoint } from '@sp/cloud-api/contract';
import { SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createAccessTokens } from '../src/tokens/access-tokens.ts';
import { loadSigningKeys } from '../src/tokens/signing-keys.ts';
import { baseUrl, type Edge, failure, startEdge } from './edge.ts';

let edge: Edge;
let owner: { token: string; userId: string };
let other: { token: string; userId: string };
let ids: { tenant: string; checkout: string };
beforeAll(async () => {
  edge = await startEdge();
  owner = await edge.login('owner@example.com');
  other = await edge.login('other@example.com');
  const bought = await edge.buy(owner.token, 'mine');
  ids = { tenant: bought.tenantId, checkout: bought.checkout_session_id };
});
afterAll(() => edge.stop());

// From the table, so that an endpoint that is added to the contract is covered by being there.
const routes = Object.entries(contract)
  .flatMap(([resource, verbs]) =>
    Object.entries<Endpoint>(verbs).flatMap(([verb, endpoint]) =>
      [endpoint, ...(endpoint.aliases ?? [])].map(({ method, path }) => ({
        name: `${method} ${resource}.${verb}`,
        method,
        path,
        endpoint,
      })),
    ),
  )
  .filter(({ endpoint }) => endpoint.auth === 'bearer');
const ofTenant = routes.filter(({ path }) => path.startsWith('/api/v1/tenants/{id}'));
const ofCheckout = routes.filter(({ path }) => path.startsWith('/api/v1/checkout/{id}'));

/** Bodies that pass validation, so that what refuses a request is who sends it. */
const bodies: ReadonlyMap<unknown, unknown> = new Map<unknown, unknown>([
  [contract.checkout.create, { price_id: 'pri_sandbox_starter', region: 'iad' }],
  [contract.tenants.update, { memory_mb: 256 }],
  [contract.tenants.setExternalDbAccess, { enabled: false }],
  [contract.domains.set, { domain: 'shop.example.com' }],
  [
    contract.activity.report,
    { event: 'cloud_login', timestamp: '2026-01-02T03:04:05+00:00', data: { user_id: 'somebody' } },
  ],
  [contract.tenants.deploy, { image: 'registry/repository:tag' }],
  [contract.releases.rollback, {}],
  [contract.releases.diffSecrets, { secrets: {} }],
  [contract.secrets.set, { secrets: { API_KEY: 'value' } }],
]);

function send(route: (typeof routes)[number], options: { id: string; token?: string }): Promise<Response> {
  const { id, token } = options;
  const json = bodies.get(route.endpoint);
  if (route.endpoint.request !== undefined && json === undefined) throw new Error(`no body for ${route.name}`);
  const path = route.path.replace('{id}', id).replaceAll(/\{\w+\}/g, 'x');
  return edge.call(path, { method: route.method, json, ...(token === undefined ? {} : { token }) });
}

test('the table has routes of every kind', () => {
  expect(ofTenant.length).toBeGreaterThan(8);
  expect(ofCheckout.length).toBe(2);
});

describe.each(routes)('$name', (route) => {
  test('is 401 without a token', async () => {
    const response = await send(route, { id: ids.tenant });
    expect(response.headers.get('www-authenticate')).toBe('Bearer');
    expect(await failure(response)).toMatchObject({ status: 401, code: 'unauthorized' });
  });
});

describe.each(ofTenant)('$name', (route) => {
  test("is 404 for somebody else's tenant, the same as for none", async () => {
    const foreign = await failure(await send(route, { id: ids.tenant, token: other.token }));
    expect(foreign).toMatchObject({ status: 404, code: 'tenant_not_found' });
    for (const id of [randomUUID(), 'no-uuid', "'%20or%201=1"]) {
      expect(await failure(await send(route, { id, token: other.token }))).toEqual(foreign);
    }
  });

  test('is something else for its owner', async () => {
    const stop = new AbortController();
    const response = await send(route, { id: ids.tenant, token: owner.token });
    if (response.ok) await response.body?.cancel();
    else expect((await failure(response)).code).not.toBe('tenant_not_found');
    stop.abort();
  });
});

describe.each(ofCheckout)('$name', (route) => {
  test("is 404 for somebody else's checkout", async () => {
    const response = await send(route, { id: ids.checkout, token: other.token });
    expect(await failure(response)).toMatchObject({ status: 404, code: 'checkout_not_found' });
  });
});

test('nobody sees another’s tenants in a listing', async () => {
  const list = async (token: string) => (await (await edge.call('/api/v1/tenants', { token })).json()) as object;
  expect(await list(owner.token)).toMatchObject({ data: [{ id: ids.tenant, name: 'mine' }] });
  expect(await list(other.token)).toEqual({ data: [] });
  const me = await edge.call('/api/v1/auth/me', { token: other.token });
  expect(await me.json()).toMatchObject({ tenants: [] });
});

async function statusWith(token: string): Promise<number> {
  return (await edge.call('/api/v1/auth/me', { token })).status;
}

test('tokens that are forged, expired, or for somebody else are refused', async () => {
  const user = { id: owner.userId, email: 'owner@example.com' };
  const issue = async (options: { issuer?: string; now?: () => number; ttlSeconds?: number }) =>
    (await (await createAccessTokens({ ...edge, issuer: baseUrl, ...options })).issue(user)).token;
  expect(await statusWith(await issue({}))).toBe(200);
  expect(await statusWith(await issue({ issuer: 'https://elsewhere.example' }))).toBe(401);
  expect(await statusWith(await issue({ now: () => Date.now() - 100_000, ttlSeconds: 60 }))).toBe(401);

  const good = await issue({});
  const [header, payload, signature] = good.split('.') as [string, string, string];
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as object;
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  expect(await statusWith(`${header}.${encode({ ...claims, sub: other.userId })}.${signature}`)).toBe(401);
  expect(await statusWith(`${encode({ alg: 'none', typ: 'at+jwt' })}.${payload}.`)).toBe(401);
  expect(await statusWith('junk')).toBe(401);
  expect(await statusWith(`${good}x`)).toBe(401);

  const [key] = await loadSigningKeys(edge);
  if (key === undefined) throw new Error('no key');
  const sign = (typ: string) =>
    new SignJWT({ ...claims }).setProtectedHeader({ alg: 'EdDSA', kid: key.kid, typ }).sign(key.privateKey);
  expect(await statusWith(await sign('at+jwt'))).toBe(200);
  expect(await statusWith(await sign('JWT'))).toBe(401);
});

test('a token of a key that another process made is accepted', async () => {
  const later = await createAccessTokens({ ...edge, issuer: baseUrl });
  await edge.store.pool.query('update signing_keys set retired_at = now()');
  const fresh = await createAccessTokens({ ...edge, issuer: baseUrl });
  const { token } = await fresh.issue({ id: owner.userId, email: 'owner@example.com' });
  // `later` has never seen the key, and looks for keys at most once a second.
  await expect.poll(() => later.verify(token)).toMatchObject({ userId: owner.userId });
  await edge.store.pool.query('update signing_keys set retired_at = null');
});

test('the public keys are published without their private half', async () => {
  const response = await edge.call('/.well-known/jwks.json');
  const { keys } = (await response.json()) as { keys: Record<string, string>[] };
  expect(keys[0]).toMatchObject({ kty: 'OKP', crv: 'Ed25519', alg: 'EdDSA', use: 'sig' });
  expect(keys.some((key) => 'd' in key)).toBe(false);
});
