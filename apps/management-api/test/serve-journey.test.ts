import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { Images } from '../src/images/registry.ts';
import { type EmbeddedPostgres, removeEmbeddedPostgres, startEmbeddedPostgres } from '../src/postgres/embedded.ts';
import { createProcessRunner, type FakeFly, startFakeFly } from './fake-fly.ts';
import { createFakeGitHub, createFakeGoogle, type FakeGitHub, type FakeGoogle } from './fake-identity.ts';
import { createFakePaddle, type FakePaddle } from './fake-paddle.ts';
import { freePort } from './free-port.ts';
import { type MachineFacts, pushMachineImage } from './machine-image.ts';
import { killPrograms, runProgram, type Served, startServe } from './operator-program.ts';
import { type ServedHandler, serveHandler } from './serve.ts';

// Whole processes, of which a busy computer starts one in many seconds.
vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

const secrets = {
  vault: randomBytes(32).toString('base64'),
  // Of two parts, as an organization's token often is.
  fly: 'fm2_planted-fly-token,fm2_planted-discharge',
  github: 'planted-github-secret',
  google: 'planted-google-secret',
  paddle: 'planted-paddle-key',
  webhook: 'pdl_ntfset_planted',
};
const returnTo = 'http://127.0.0.1:45678/callback';

let folder: string;
let postgres: EmbeddedPostgres;
let fly: FakeFly;
let runner: ReturnType<typeof createProcessRunner>;
let github: FakeGitHub;
let google: FakeGoogle;
let paddle: FakePaddle;
let env: Record<string, string>;
const servers: ServedHandler[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sp-serve-journey-'));
  const dataDir = join(folder, 'postgres');
  postgres = await startEmbeddedPostgres({ dataDir });
  runner = createProcessRunner({ directory: join(folder, 'fly'), storage: () => fly.storage });
  fly = await startFakeFly({ tokens: { [secrets.fly]: 'tenants' }, lagMs: 50, startMs: 20, rateFactor: 10, runner });
  const baseUrl = `http://127.0.0.1:${await freePort()}`;
  const addresses = { github: '', google: '' };
  const callback = (provider: string): string => `${baseUrl}/api/v1/auth/oauth/${provider}/callback`;
  const client = { clientId: 'github-client', clientSecret: secrets.github, redirectUri: callback('github') };
  const googleClient = { clientId: 'google-client', clientSecret: secrets.google, redirectUri: callback('google') };
  github = await createFakeGitHub({ webUrl: () => addresses.github, client });
  const githubServer = await serveHandler((request) => github.fetch(request));
  addresses.github = `http://${githubServer.host}`;
  google = await createFakeGoogle({ issuer: () => addresses.google, client: googleClient });
  const googleServer = await serveHandler((request) => google.fetch(request));
  addresses.google = `http://${googleServer.host}`;
  paddle = await createFakePaddle({
    apiKey: secrets.paddle,
    catalog: [
      { priceId: 'pri_01', productName: 'Starter', customData: { plan: 'starter', memory_mb: 512, volume_gb: 1 } },
    ],
    destination: { url: `${baseUrl}/api/v1/webhooks/paddle`, secrets: [secrets.webhook] },
  });
  const paddleServer = await serveHandler((request) => paddle.fetch(request));
  servers.push(githubServer, googleServer, paddleServer);
  env = {
    SP_API_BASE_URL: baseUrl,
    SP_API_LISTEN_HOST: '127.0.0.1',
    SP_API_PORT: new URL(baseUrl).port,
    SP_API_DRAIN_SECONDS: '0',
    DATABASE_URL: postgres.url,
    SP_API_VAULT_KEY: secrets.vault,
    SP_API_REGISTRY_DIRECTORY: join(folder, 'registry'),
    SP_API_TENANT_DOMAIN: 'fly.dev',
    SP_API_TENANT_DATABASE_HOST: '127.0.0.1',
    SP_API_TENANT_DATABASE_PUBLIC_HOST: 'db.example.com',
    SP_API_MACHINES: 'fly',
    // As `fly tokens create org` prints it.
    SP_API_FLY_TOKEN: `FlyV1 ${secrets.fly}`,
    SP_API_FLY_ORGANIZATION: 'tenants',
    SP_API_FLY_API_URL: fly.url,
    SP_API_FLY_LOGS_URL: fly.url,
    SP_API_FLY_REGISTRY: fly.registry,
    SP_API_FLY_RATE_FACTOR: '10',
    SP_API_IDENTITY: 'github,google',
    SP_API_GOOGLE_CLIENT_ID: googleClient.clientId,
    SP_API_GOOGLE_CLIENT_SECRET: secrets.google,
    SP_API_GOOGLE_ISSUER: addresses.google,
    SP_API_GITHUB_CLIENT_ID: client.clientId,
    SP_API_GITHUB_CLIENT_SECRET: secrets.github,
    SP_API_GITHUB_URL: addresses.github,
    SP_API_GITHUB_API_URL: addresses.github,
    SP_API_BILLING: 'paddle',
    SP_API_PADDLE_API_KEY: secrets.paddle,
    SP_API_PADDLE_ENVIRONMENT: `http://${paddleServer.host}`,
    SP_API_PADDLE_CLIENT_TOKEN: 'test_token',
    SP_API_PADDLE_WEBHOOK_SECRETS: secrets.webhook,
  };
});
afterAll(async () => {
  killPrograms();
  await runner?.close();
  await fly?.[Symbol.asyncDispose]();
  for (const server of servers) await server[Symbol.asyncDispose]();
  await postgres?.stop();
  await removeEmbeddedPostgres({ dataDir: join(folder, 'postgres') });
  await rm(folder, { recursive: true, force: true });
});

async function logIn(url: string, provider: 'github' | 'google'): Promise<string> {
  const begun = await fetch(`${url}/api/v1/auth/oauth/${provider}?${new URLSearchParams({ redirect_uri: returnTo })}`);
  const { authorize_url: authorizeUrl } = (await begun.json()) as { authorize_url: string };
  const emails = [{ email: 'ada@example.com', primary: true, verified: true }];
  const callback =
    provider === 'github'
      ? github.allow(authorizeUrl, { id: 1815, login: 'ada', emails })
      : google.allow(authorizeUrl, { sub: '1906', email: 'grace@example.com' });
  const back = await fetch(callback, { redirect: 'manual' });
  return new URL(back.headers.get('location') ?? '').searchParams.get('access_token') ?? '';
}

function clientOf(url: string, token: string) {
  return async <T>(path: string, { method = 'GET', json }: { method?: string; json?: unknown } = {}): Promise<T> => {
    const response = await fetch(`${url}${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(json === undefined ? {} : { body: JSON.stringify(json) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    const parsed = (text === '' ? {} : JSON.parse(text)) as { data?: T };
    return parsed.data ?? (parsed as T);
  };
}

async function databases(): Promise<readonly string[]> {
  const client = new Client({ connectionString: postgres.url });
  await client.connect();
  try {
    const { rows } = await client.query<{ datname: string }>("select datname from pg_database where datname ~ '^sp_'");
    return rows.map(({ datname }) => datname);
  } finally {
    await client.end();
  }
}

// Many processes, one after the other.
test('a tenant on Fly.io, paid by Paddle, of somebody whom GitHub or Google knows, over an upgrade of the control plane', {
  timeout: 180_000,
}, async () => {
  let service: Served = await startServe(env, ['--migrate']);
  const { url } = service;
  const token = await logIn(url, 'github');
  let call = clientOf(url, token);
  expect(await call('/api/v1/auth/me')).toMatchObject({ user: { email: 'ada@example.com' } });
  const grace = clientOf(url, await logIn(url, 'google'));
  expect(await grace('/api/v1/auth/me')).toMatchObject({ user: { email: 'grace@example.com' } });
  // Every provider takes our credentials, and each that does not is named.
  const doctor = await runProgram(['doctor', '--json'], env);
  expect(doctor.json()).toMatchObject({ healthy: true });
  const wrong = {
    SP_API_FLY_TOKEN: 'x',
    SP_API_GITHUB_CLIENT_SECRET: 'x',
    SP_API_GOOGLE_CLIENT_SECRET: 'x',
    SP_API_PADDLE_API_KEY: 'x',
  };
  const { findings } = (await runProgram(['doctor', '--json'], { ...env, ...wrong })).json() as {
    findings: { check: string; status: string }[];
  };
  const failed = findings.filter(({ status }) => status === 'failed').map(({ check }) => check);
  expect(failed.toSorted()).toEqual([
    'billing',
    'login with GitHub',
    'login with Google',
    'machines',
    // Who may not look cannot compare.
    'providers and database',
  ]);

  // Nothing is made before the payment, which is told by a signed webhook only.
  const [plan] = await call<{ paddle_price_id: string; name: string }[]>('/api/v1/checkout/plans');
  const json = { price_id: plan?.paddle_price_id, region: 'fra', tenant_name: 'shop', redirect_uri: returnTo };
  const checkout = await call<Record<'checkout_url' | 'checkout_session_id' | 'transaction_id', string>>(
    '/api/v1/checkout',
    { method: 'POST', json },
  );
  expect(checkout.checkout_url).toBe(`${url}/checkout?_ptxn=${checkout.transaction_id}`);
  expect(await (await fetch(checkout.checkout_url)).text()).toContain('Checkout');
  expect(fly.apps.size).toBe(0);
  const events = await fetch(`${url}/api/v1/checkout/${checkout.checkout_session_id}/events`, {
    headers: { authorization: `Bearer ${token}` },
  });
  paddle.pay(checkout.transaction_id);
  expect(await events.text()).toContain('infrastructure_ready');
  const [tenant] = await call<{ id: string; hostname: string; fly_app_name: string }[]>('/api/v1/tenants');
  const path = `/api/v1/tenants/${tenant?.id}`;
  const app = fly.apps.get(tenant?.fly_app_name ?? '');
  expect(tenant?.hostname).toBe(`${tenant?.fly_app_name}.fly.dev`);
  expect([app?.volumes.size, app?.machines.size]).toEqual([1, 0]);
  expect(await databases()).toHaveLength(1);

  const login = await call<{ registry: string; repository: string; tag: string }>(`${path}/registry-token`);
  const images = { issueToken: async () => login } as unknown as Images;
  await pushMachineImage({ images, tenantId: tenant?.id ?? '', directory: join(folder, 'build') });
  await call(`${path}/secrets`, { method: 'PUT', json: { secrets: { GREETING: 'hello' } } });
  const image = `${login.registry}/${login.repository}:${login.tag}`;
  const deployed = await call<{ status: string; app_url: string }>(`${path}/deploy`, {
    method: 'POST',
    json: { image },
  });
  expect(deployed).toMatchObject({ app_url: `http://${tenant?.hostname}` });
  // On a busy computer it takes longer than the answer waits.
  await waitForState('running');
  const started = (): string[] =>
    [...(app?.machines ?? [])].flatMap(([id, { state }]) => (state === 'started' ? [id] : []));
  const facts = async (): Promise<MachineFacts> => {
    const [id = ''] = started();
    return (await (await fetch(`http://${fly.addressOf(id)}/facts`)).json()) as MachineFacts;
  };
  const { env: environment, pid } = await facts();
  expect(environment).toMatchObject({ GREETING: 'hello', DATABASE_TYPE: 'postgres' });
  const logs = await call<{ message: string }[]>(`${path}/logs`);
  expect(logs.map(({ message }) => message)).toContain('listening');

  const looked = (await runProgram(['doctor', '--json'], env)).json() as { findings: object[] };
  const same = { check: 'providers and database', status: 'ok', message: 'are the same' };
  expect(looked.findings).toContainEqual(same);

  const access = { method: 'PUT', json: { enabled: true } };
  const { database_url: outside } = await call<{ database_url: string }>(`${path}/external-db-access`, access);
  expect(new URL(outside).hostname).toBe('db.example.com');
  expect(new URL(environment['DATABASE_URL'] ?? '').hostname).toBe('127.0.0.1');

  // The next version of the control plane: the tenant does not notice.
  service.child.kill('SIGTERM');
  const first = await service.ended;
  expect([first.code, first.stderr]).toEqual([0, '']);
  service = await startServe(env);
  call = clientOf(service.url, token);
  expect(await call(`${path}/status`)).toMatchObject({ status: 'running' });
  expect((await facts()).pid).toBe(pid);

  // Who does not pay any more is suspended; who pays again goes on.
  const { subscription_id: subscription } = await call<{ subscription_id: string }>(path);
  paddle.pause(subscription);
  await paddle.settle();
  await waitForState('suspended');
  await expect.poll(started, { timeout: 120_000 }).toEqual([]);
  paddle.resume(subscription);
  await paddle.settle();
  await waitForState('running');
  await expect.poll(started, { timeout: 120_000 }).toHaveLength(1);
  expect((await facts()).env['GREETING']).toBe('hello');

  await call(path, { method: 'DELETE' });
  await expect.poll(() => fly.apps.size, { timeout: 120_000 }).toBe(0);
  await expect.poll(databases, { timeout: 120_000 }).toEqual([]);
  await expect.poll(() => call('/api/v1/tenants'), { timeout: 120_000 }).toEqual([]);
  expect(await paddle.settle()).toEqual([]);
  service.child.kill('SIGTERM');
  const last = await service.ended;
  expect([last.code, last.stderr]).toEqual([0, '']);
  for (const secret of [...Object.values(secrets), token, new URL(postgres.url).password]) {
    expect(first.stdout + last.stdout).not.toContain(secret);
  }

  async function waitForState(wanted: string): Promise<void> {
    for (;;) {
      const { status } = await call<{ status: string }>(`${path}/status`);
      if (status === wanted) return;
      await new Promise((done) => setTimeout(done, 100));
    }
  }
});
