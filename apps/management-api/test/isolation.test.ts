import { randomUUID } from 'node:crypto';
import { type ApiScope, apiScopes, contract, type Endpoint, endpointScopes } from '@sp/cloud-api/contract';
import { SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createAccessTokens } from '../src/tokens/access-tokens.ts';
import { makeApiToken } from '../src/tokens/api-token-format.ts';
import { loadSigningKeys } from '../src/tokens/signing-keys.ts';
import { baseUrl, type Edge, failure, startEdge } from './edge.ts';

type Person = { token: string; userId: string };

let edge: Edge;
let owner: Person;
let other: Person;
let ids: { tenant: string; second: string; checkout: string };
/** Tokens of the owner that are not, or no longer, good. */
let dead: Readonly<Record<'expired' | 'signed out' | 'expired API' | 'revoked API' | 'made-up API', string>>;

beforeAll(async () => {
  edge = await startEdge();
  owner = await edge.login('owner@example.com');
  other = await edge.login('other@example.com');
  const bought = await edge.buy(owner.token, 'mine');
  const second = await edge.buy(owner.token, 'second');
  ids = { tenant: bought.tenantId, second: second.tenantId, checkout: bought.checkout_session_id };

  const user = { id: owner.userId, email: 'owner@example.com' };
  const past = await createAccessTokens({ ...edge, issuer: baseUrl, now: () => Date.now() - 100_000, ttlSeconds: 60 });
  const left = await edge.login('owner@example.com');
  await edge.call('/api/v1/auth/revoke', { method: 'POST', json: { token: left.token } });
  const expiredApi = await makeToken(apiScopes);
  await edge.store.pool.query(`update api_tokens set expires_at = now() - interval '1 second'`);
  const revokedApi = await makeToken(apiScopes);
  await edge.store.pool.query('update api_tokens set revoked_at = now() where revoked_at is null');
  dead = {
    expired: (await past.issue(user)).token,
    'signed out': left.token,
    'expired API': expiredApi,
    'revoked API': revokedApi,
    'made-up API': makeApiToken(),
  };
});
afterAll(() => edge.stop());

const tokens = new Map<string, Promise<string>>();

/** The same token for the same wish: nobody may have hundreds. */
function tokenFor(scopes: readonly ApiScope[], tenantId?: string): Promise<string> {
  const wish = `${scopes.join(' ')} ${tenantId ?? ''}`;
  const made = tokens.get(wish) ?? makeToken(scopes, tenantId);
  tokens.set(wish, made);
  return made;
}

function askForToken(scopes: readonly ApiScope[], tenantId?: string): Promise<Response> {
  const json = { name: 'CI', scopes, tenant_id: tenantId };
  return edge.call('/api/v1/auth/api-tokens', { method: 'POST', token: owner.token, json });
}

async function makeToken(scopes: readonly ApiScope[], tenantId?: string): Promise<string> {
  const made = await askForToken(scopes, tenantId);
  return ((await made.json()) as { data: { token: string } }).data.token;
}

// From the table, so that an endpoint that is added to the contract is covered by being there.
const routes = Object.entries(contract)
  .flatMap(([resource, verbs]) =>
    Object.entries<Endpoint>(verbs).flatMap(([verb, endpoint]) =>
      [endpoint, ...(endpoint.aliases ?? [])].map(({ method, path }) => ({
        name: `${method} ${resource}.${verb}`,
        scope: (endpointScopes as Record<string, Record<string, ApiScope>>)[resource]?.[verb] as ApiScope,
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
  [contract.apiTokens.create, { name: 'CI', scopes: ['tenants:read'] }],
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

async function send(route: (typeof routes)[number], options: { id: string; token?: string }): Promise<Response> {
  const { id, token } = options;
  const json = bodies.get(route.endpoint);
  if (route.endpoint.request !== undefined && json === undefined) throw new Error(`no body for ${route.name}`);
  const path = route.path.replace('{id}', id).replaceAll(/\{\w+\}/g, 'x');
  return await edge.call(path, { method: route.method, json, ...(token === undefined ? {} : { token }) });
}

test('the table has routes of every kind, and each has a scope', () => {
  expect(ofTenant.length).toBeGreaterThan(8);
  expect(ofCheckout.length).toBe(2);
  for (const { name, scope } of routes) expect(apiScopes, name).toContain(scope);
});

describe.each(routes)('$name', (route) => {
  test('is 401 without a token, and with one that is not good any more', async () => {
    for (const token of [undefined, ...Object.values(dead)]) {
      const response = await send(route, { id: ids.tenant, ...(token === undefined ? {} : { token }) });
      expect(response.headers.get('www-authenticate')).toBe('Bearer');
      expect(await failure(response)).toMatchObject({ status: 401, code: 'unauthorized' });
    }
  });

  test(`is 403 for an API token with every scope but ${route.scope}`, async () => {
    const token = await tokenFor(apiScopes.filter((scope) => scope !== route.scope));
    for (const id of [ids.tenant, randomUUID()]) {
      const response = await send(route, { id, token });
      expect(response.headers.get('www-authenticate')).toContain(`scope="${route.scope}"`);
      const refused = await failure(response);
      expect(refused).toMatchObject({ status: 403, code: 'insufficient_scope' });
      expect(refused.message).toContain(route.scope);
    }
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

  test('is 404 for an API token that is for another tenant, and something else for one of its own', async () => {
    if (route.scope === 'account') {
      // What speaks for a whole account is never for one tenant.
      expect((await askForToken([route.scope], ids.tenant)).status).toBe(400);
      return;
    }
    const mine = await tokenFor([route.scope], ids.tenant);
    const another = await tokenFor([route.scope], ids.second);
    for (const id of [ids.tenant, ids.tenant.toUpperCase()]) {
      expect(await failure(await send(route, { id, token: another }))).toMatchObject({ code: 'tenant_not_found' });
    }
    await isServed(await send(route, { id: ids.tenant, token: mine }));
  });

  test('is something else for its owner', async () => {
    await isServed(await send(route, { id: ids.tenant, token: owner.token }));
  });
});

async function isServed(response: Response): Promise<void> {
  if (response.ok) await response.body?.cancel();
  else expect(['tenant_not_found', 'insufficient_scope']).not.toContain((await failure(response)).code);
}

describe.each(ofCheckout)('$name', (route) => {
  test("is 404 for somebody else's checkout", async () => {
    const response = await send(route, { id: ids.checkout, token: other.token });
    expect(await failure(response)).toMatchObject({ status: 404, code: 'checkout_not_found' });
  });
});

test('an API token for one tenant lists that one only', async () => {
  const token = await tokenFor(['tenants:read'], ids.second);
  const listed = (await (await edge.call('/api/v1/tenants', { token })).json()) as { data: { id: string }[] };
  expect(listed.data.map(({ id }) => id)).toEqual([ids.second]);
  const me = (await (await edge.call('/api/v1/auth/me', { token })).json()) as { tenants: { id: string }[] };
  expect(me.tenants.map(({ id }) => id)).toEqual([ids.second]);
});

test('nobody sees another’s tenants in a listing', async () => {
  const list = async (token: string) => (await (await edge.call('/api/v1/tenants', { token })).json()) as object;
  expect(await list(owner.token)).toMatchObject({
    data: [
      { id: ids.tenant, name: 'mine' },
      { id: ids.second, name: 'second' },
    ],
  });
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
