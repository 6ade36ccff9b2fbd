import { afterAll, beforeAll, expect, test } from 'vitest';
import { createManagementApi } from '../src/api.ts';
import { addressBlock, clientAddress } from '../src/http/client-address.ts';
import { createRateLimiter } from '../src/http/rate-limits.ts';
import { baseUrl, type Edge, failure, startEdge } from './edge.ts';

const few = { points: 3, seconds: 600 };
let edge: Edge;
beforeAll(async () => {
  edge = await startEdge({
    trustedProxyHeader: 'fly-client-ip',
    rateLimits: { login: few, device: few, token: few, deviceCode: few, credentials: few, checkout: few },
  });
});
afterAll(() => edge.stop());

/** An address that nobody else in this file has. */
let next = 0;
const newAddress = (): string => `198.51.100.${(next += 1)}`;

async function exhaust(send: () => Promise<Response>): Promise<Response> {
  for (let count = 0; count < few.points; count += 1) expect((await send()).status).not.toBe(429);
  return await send();
}

test('what can be guessed or makes work has a limit for each address, and the answer says when it ends', async () => {
  const requests: Record<string, { path: string; json?: unknown; form?: Record<string, string> }> = {
    login: { path: '/api/v1/auth/oauth/github?redirect_uri=http://127.0.0.1:1/cb' },
    device: { path: '/api/v1/auth/device', json: {} },
    token: { path: '/api/v1/auth/token', json: { grant_type: 'refresh_token', refresh_token: 'x' } },
    deviceCode: { path: '/device', form: { user_code: 'BCDF-GHJK', provider: 'github' } },
  };
  for (const [limit, { path, ...body }] of Object.entries(requests)) {
    const headers = { 'fly-client-ip': newAddress() };
    const method = limit === 'login' ? 'GET' : 'POST';
    const refused = await exhaust(() => edge.call(path, { method, headers, ...body }));
    expect(Number(refused.headers.get('retry-after')), limit).toBeGreaterThan(0);
    expect(refused.headers.get('ratelimit')).toMatch(new RegExp(`^"${limit}";r=0;t=\\d+$`));
    expect(await failure(refused)).toMatchObject({ status: 429, code: 'rate_limited' });
    const elsewhere = await edge.call(path, { method, headers: { 'fly-client-ip': newAddress() }, ...body });
    expect(elsewhere.status).not.toBe(429);
  }
});

test('OAuth’s own forms have the same limit', async () => {
  const headers = { 'fly-client-ip': newAddress() };
  const form = { grant_type: 'refresh_token', refresh_token: 'x' };
  const send = () => edge.call('/api/v1/auth/token', { method: 'POST', headers, form });
  expect((await exhaust(send)).status).toBe(429);
});

test('replicas count together what must not be guessed; a person’s limit is theirs wherever they are', async () => {
  const headers = { 'fly-client-ip': newAddress() };
  const { token } = await edge.login('counted@example.com');
  const options = { ...edge.options, trustedProxyHeader: 'fly-client-ip', rateLimits: { device: few, checkout: few } };
  const replica = createManagementApi(edge.ports, options);
  const send = (app: typeof replica, path: string, json: object) =>
    app.fetch(
      new Request(`${baseUrl}${path}`, {
        method: 'POST',
        body: JSON.stringify(json),
        headers: { ...headers, authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      }),
    );
  for (const [path, json] of [
    ['/api/v1/auth/device', {}],
    ['/api/v1/checkout', { price_id: 'pri_sandbox_starter', region: 'iad' }],
  ] as const) {
    const statuses: number[] = [];
    for (const app of [edge.app, replica, edge.app, replica]) statuses.push((await send(app, path, json)).status);
    expect(statuses, path).toEqual([200, 200, 200, 429]);
  }
});

test('guesses at a one-time link are counted for each person', async () => {
  const { token } = await edge.login('guesser@example.com');
  const { tenantId } = await edge.buy(token);
  const refused = await exhaust(() => edge.call(`/api/v1/tenants/${tenantId}/credentials/wrong`, { token }));
  expect(await failure(refused)).toMatchObject({ code: 'rate_limited' });
  expect((await edge.call('/api/v1/tenants', { token })).status).toBe(200);
});

test('ordinary requests have a limit for each user and each address, and tell how many are left', async () => {
  const limiter = createRateLimiter(edge, { user: { points: 2, seconds: 60 } });
  expect((await limiter.consume('user', 'a'))['ratelimit']).toMatch(/^"user";r=1;t=60$/);
  expect((await limiter.consume('user', 'a'))['ratelimit-policy']).toBe('"user";q=2;w=60');
  await expect(limiter.consume('user', 'a')).rejects.toMatchObject({ status: 429 });
  await limiter.consume('user', 'b');
});

test('a refused question whose answer is kept counts once', async () => {
  const app = createManagementApi(edge.ports, {
    ...edge.options,
    trustedProxyHeader: 'fly-client-ip',
    rateLimits: { user: few, address: { points: 8, seconds: 600 } },
  });
  const { token } = await edge.login('asks@example.com');
  const headers = { authorization: `Bearer ${token}`, 'fly-client-ip': newAddress() };
  const ask = async () => (await app.fetch(new Request(`${baseUrl}/api/v1/tenants`, { headers }))).headers;
  const limits: (string | undefined)[] = [];
  for (let asked = 0; asked < 9; asked += 1) {
    const answer = await ask();
    limits.push(answer.has('retry-after') ? answer.get('ratelimit')?.split(';')[0] : 'answered');
  }
  const refused = (limit: string, times: number) => Array.from({ length: times }, () => `"${limit}"`);
  expect(limits).toEqual([...Array.from({ length: 3 }, () => 'answered'), ...refused('user', 5), '"address"']);
});

test('a header that was not configured is nobody’s address', async () => {
  const options = { ...edge.options, trustedProxyHeader: undefined, rateLimits: { device: few } };
  const replica = createManagementApi(edge.ports, options);
  const statuses: number[] = [];
  for (let count = 0; count < 5; count += 1) {
    const headers = {
      'fly-client-ip': newAddress(),
      'x-forwarded-for': newAddress(),
      'content-type': 'application/json',
    };
    const request = new Request(`${baseUrl}/api/v1/auth/device`, { method: 'POST', headers, body: '{}' });
    statuses.push(
      (await replica.fetch(request, { incoming: { socket: { remoteAddress: '::ffff:203.0.113.9' } } })).status,
    );
  }
  expect(statuses).toEqual([200, 200, 200, 429, 429]);
});

test('an address block is an IPv4 address, or the /64 of an IPv6 one', () => {
  expect(addressBlock('203.0.113.9')).toBe('203.0.113.9');
  const same = ['2001:db8:0:1::1', '2001:0db8:0000:0001:ffff:ffff:ffff:ffff', '2001:DB8::1:0:0:0:5'];
  expect(new Set(same.map(addressBlock))).toEqual(new Set(['2001:db8:0:1::/64']));
  expect(addressBlock('fe80::1%eth0')).toBe('fe80:0:0:0::/64');
  expect(addressBlock('::1')).toBe('0:0:0:0::/64');
});

test('the payment provider’s webhooks have no limit', async () => {
  const replica = createManagementApi(edge.ports, {
    ...edge.options,
    rateLimits: { address: { points: 1, seconds: 60 } },
  });
  const send = () => replica.fetch(new Request(`${baseUrl}/api/v1/webhooks/paddle`, { method: 'POST', body: '{}' }));
  expect([(await send()).status, (await send()).status, (await send()).status]).toEqual([401, 401, 401]);
});

test('an IPv4 address that a proxy saw by a socket of IPv6 is that IPv4 address', () => {
  const told = (address: string): string | undefined =>
    clientAddress({}, new Headers({ 'fly-client-ip': address }), 'fly-client-ip');
  expect(['::ffff:203.0.113.9', '::FFFF:203.0.113.9', '203.0.113.9', '2001:db8::1', '::ffff:x'].map(told)).toEqual([
    '203.0.113.9',
    '203.0.113.9',
    '203.0.113.9',
    '2001:db8::1',
    undefined,
  ]);
});
