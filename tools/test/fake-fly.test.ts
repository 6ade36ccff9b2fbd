import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type FakeFly, startFakeFly } from '../src/fake-fly/fake-fly.ts';

let fly: FakeFly;
beforeAll(async () => {
  // Its clock goes on only where a test waits: a busy computer takes longer for a request than what is new stays hidden.
  vi.useFakeTimers({ toFake: ['Date'] });
  fly = await startFakeFly({ tokens: { token: 'acme', fm2_macaroon: 'acme' }, lagMs: 150 });
  await send('POST', '/apps', { app_name: 'shop', org_slug: 'acme' });
  await until(async () => (await send('GET', '/apps/shop')).status === 200);
});
afterAll(async () => {
  vi.useRealTimers();
  await fly[Symbol.asyncDispose]();
});

async function send(method: string, path: string, body?: unknown, headers: Record<string, string> = {}) {
  const response = await fetch(`${fly.url}/v1${path}`, {
    method,
    headers: { authorization: 'Bearer token', 'content-type': 'application/json', ...headers },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  const json = (text === '' ? {} : JSON.parse(text)) as Record<string, unknown>;
  return { status: response.status, json, headers: response.headers };
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) vi.setSystemTime(Date.now() + 30);
}

const volume = { name: 'data', region: 'fra', size_gb: 1 };
const config = { image: `127.0.0.1/shop@sha256:${'0'.repeat(64)}` };

test.for([
  { what: 'no organization', path: '/apps', body: { app_name: 'a' }, status: 400 },
  { what: "somebody else's organization", path: '/apps', body: { app_name: 'a', org_slug: 'other' }, status: 404 },
  { what: 'no name', path: '/apps', body: { org_slug: 'acme' }, status: 400 },
  { what: 'a name that cannot be', path: '/apps', body: { app_name: 'No_', org_slug: 'acme' }, status: 422 },
  { what: 'a name that is taken', path: '/apps', body: { app_name: 'shop', org_slug: 'acme' }, status: 422 },
  { what: 'a field that is unknown', path: '/apps/shop/volumes', body: { ...volume, sizeGb: 1 }, status: 400 },
  { what: 'a size in words', path: '/apps/shop/volumes', body: { ...volume, size_gb: '1' }, status: 400 },
  { what: 'an unknown region', path: '/apps/shop/volumes', body: { ...volume, region: 'xyz' }, status: 400 },
  { what: 'an unknown app', path: '/apps/none/volumes', body: volume, status: 404 },
  { what: 'an unknown kind of address', path: '/apps/shop/ip_assignments', body: { type: 'v5' }, status: 400 },
  { what: 'no JSON', path: '/apps/shop/secrets', body: '{', status: 400 },
  { what: 'a secret that is no text', path: '/apps/shop/secrets', body: { values: { A: 1 } }, status: 400 },
  { what: 'no image', path: '/apps/shop/machines', body: { config: {} }, status: 400 },
  { what: 'an image that is not there', path: '/apps/shop/machines', body: { config }, status: 400 },
  {
    what: 'too little memory for the processors',
    path: '/apps/shop/machines',
    body: { config: { ...config, guest: { cpu_kind: 'shared', cpus: 2, memory_mb: 256 } } },
    status: 400,
  },
  {
    what: 'an unknown key deep inside',
    path: '/apps/shop/machines',
    body: { config: { ...config, restart: { policy: 'no', tries: 1 } } },
    status: 400,
  },
])('refuses $what', async ({ path, body, status }) => {
  const answer = await send('POST', path, body);
  expect(answer).toMatchObject({ status, json: { error: expect.any(String) } });
  expect(answer.headers.get('fly-request-id')).not.toBeNull();
});

test('refuses an unknown query, and a token that it does not know or under the wrong scheme', async () => {
  expect((await send('GET', '/apps/shop/machines?metadta.a=1')).status).toBe(400);
  for (const authorization of ['Bearer other', 'token', 'Bearer fm2_macaroon', 'FlyV1 token', '']) {
    expect((await send('GET', '/apps/shop', undefined, { authorization })).status).toBe(401);
  }
  expect(
    (await send('GET', '/apps/shop/certificates', undefined, { authorization: 'FlyV1 fm2_macaroon' })).status,
  ).toBe(200);
});

test('shows what is new late, and makes a volume for each request, whatever its name', async () => {
  await send('POST', '/apps', { app_name: 'late', org_slug: 'acme' });
  expect([401, 404]).toContain((await send('GET', '/apps/late')).status);
  await until(async () => (await send('GET', '/apps/late')).status === 200);
  for (const _ of [1, 2]) expect((await send('POST', '/apps/late/volumes', volume)).status).toBe(200);
  expect((await send('GET', '/apps/late/volumes')).json).toEqual([]);
  expect(fly.apps.get('late')?.volumes.size).toBe(2);
});

test('allows three at once and then one a second, of each action for each app', async () => {
  await send('POST', '/apps', { app_name: 'fast', org_slug: 'acme' });
  await until(async () => (await send('GET', '/apps/fast')).status === 200);
  const answers = await Promise.all(Array.from({ length: 5 }, () => send('GET', '/apps/fast/secrets')));
  const refused = answers.filter(({ status }) => status === 429);
  expect(refused).toHaveLength(2);
  expect(refused[0]?.headers.get('retry-after')).toBe('1');
  expect((await send('GET', '/apps/shop/secrets')).status).toBe(200);
  expect((await send('GET', '/apps/fast/machines')).status).toBe(200);
});

test('does what is ordered to go wrong, before or after the work', async () => {
  const create = (app_name: string) => send('POST', '/apps', { app_name, org_slug: 'acme' });
  fly.fail({ action: 'app-create', app: 'lost', fault: { statusAfterWork: 504 } });
  fly.fail({ action: 'app-create', app: 'cut', fault: { cut: 'before-work' } });
  expect((await create('lost')).status).toBe(504);
  await expect(create('cut')).rejects.toThrow();
  expect([fly.apps.has('lost'), fly.apps.has('cut'), fly.faultsLeft()]).toEqual([true, false, 0]);
  fly.fillRegion('syd');
  expect(await send('POST', '/apps/shop/volumes', { ...volume, region: 'syd' })).toMatchObject({
    status: 422,
    json: { status: 'insufficient_capacity' },
  });
});
