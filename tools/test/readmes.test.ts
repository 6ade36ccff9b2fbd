import { mkdir, mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { type LocalCloud, removeLocalCloud, startLocalCloud } from '@sp/management-api';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { runReadme } from './support/run-readme.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sp-readmes-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** A token that credentials take: it says when it expires, and ends as the README's. */
function tokenOfReadme(): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part({ alg: 'none' })}.${part({ exp: Math.floor(Date.now() / 1000) + 86_400 })}.4f2a`;
}

test('@sp/paths finds what its README says', async () => {
  const site = join(folder, 'paths', 'site');
  await mkdir(join(site, '.systemprompt'), { recursive: true });
  await mkdir(join(site, 'services', 'web'), { recursive: true });
  const { printed, promised } = await runReadme('paths', { folder: join(folder, 'paths'), replace: { '/site': site } });
  expect(printed).toEqual(promised);
});

test('@sp/private-file keeps the file of its README', async () => {
  const home = join(folder, 'private');
  const { printed, promised } = await runReadme('private-file', { folder: home, replace: { '/home/ada': home } });
  expect(printed).toEqual([promised.join('\n')]);
  const file = join(home, 'site/.systemprompt/credentials.json');
  expect(JSON.parse(await readFile(file, 'utf8'))).toEqual({ api_token: 'ey…', seen: true });
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect(await readFile(join(file, '../.gitignore'), 'utf8')).toContain('*');
});

test('@sp/loopback greets as in its README', async () => {
  const pages: Promise<string>[] = [];
  const { printed, promised } = await runReadme('loopback', {
    folder: join(folder, 'loopback'),
    // The second listener of the README would go on listening.
    replace: { 'const listener = await': 'await using listener = await' },
    onLine: (line) => {
      const [, url] = /^Open (\S+)$/.exec(line) ?? [];
      if (url !== undefined) pages.push(fetch(url).then((response) => response.text()));
    },
  });
  const samePort = (line: string): string => line.replace(/:\d+/, ':49152');
  expect(printed.map(samePort)).toEqual(promised);
  expect(await pages[0]).toContain('Hello Ada');
});

test('@sp/credentials logs in in all three ways of its README', async () => {
  const token = tokenOfReadme();
  const callback = (url: string): Promise<Response> => fetch(`${url}&code=the-code`);
  let calledBack: Promise<Response> | undefined;
  const { printed, promised } = await runReadme('credentials', {
    folder: join(folder, 'credentials'),
    replace: {
      '/site/': `${join(folder, 'credentials')}/`,
      'process.stdin': 'stdin',
      // Else the first poll is after six seconds.
      'expiresIn: 900': 'expiresIn: 900, interval: 0.01',
    },
    names: {
      token,
      signal: undefined,
      stdin: Readable.from([`${token}\n`]),
      redeem: async () => ({ accessToken: token }),
      // For a browser the address of the provider's page, here the callback that it leads to.
      askServer: async (_provider?: string, redirectUri = '', state = '') => `${redirectUri}?state=${state}`,
      open: async (url: string) => {
        calledBack = callback(url);
      },
    },
  });
  expect(promised[0]).toMatch(/^ada@example\.com eyJhbGci\.\.\.4f2a valid$/);
  expect(printed[0]).toBe(promised[0]);
  expect(printed[1]).toBe('eyJhbGci...4f2a');
  expect(printed[2]).toContain("'eyJhbGci...4f2a', 'eyJhbGci...4f2a', 'eyJhbGci...4f2a'");
  expect((await calledBack)?.status).toBe(200);
});

test('@sp/tenants keeps the tenant and makes the profile of its README', async () => {
  const home = join(folder, 'tenants');
  const internal = 'postgres://user:password@db.internal/site';
  const secrets = { jwtSecret: 'j'.repeat(64), databaseUrl: internal, internalDatabaseUrl: internal };
  const all = { ...secrets, appUrl: 'https://site.example.test', anthropicApiKey: 'sk-ant-api03-key', syncToken: 's' };
  const info = { id: 't_1', name: 'site', appId: 'app', externalDbAccess: false, databaseUrl: 'postgres://u:***@db/x' };
  await mkdir(join(home, 'site', 'services'), { recursive: true });
  const { printed, promised } = await runReadme('tenants', {
    folder: home,
    replace: { '/home/ada': home },
    names: {
      api: {
        user: { get: async () => ({ user: { id: 'u', email: 'ada@example.test' }, tenants: [info] }) },
        tenants: { getCredentials: async () => all },
      },
      env: {},
      secrets: all,
      secretsUrl: '/once',
      token: tokenOfReadme(),
    },
  });
  expect(printed).toEqual(promised);
});

test('@sp/cloud-api prints, follows and changes as in its README', async () => {
  const asked: string[] = [];
  const info = { id: 't', name: 'hello', database_url: 'd', version: 7 };
  const urls = { internal_database_url: 'i', external_database_url: 'e' };
  const answers: Record<string, unknown> = {
    'GET /api/v1/tenants': { data: [{ id: 't', name: 'hello', hostname: 'hello-k3x9.systemprompt.app' }] },
    'GET /api/v1/tenants/t': { data: info },
    'PATCH /api/v1/tenants/t': { data: info },
    'POST /api/v1/tenants/t/rotate-credentials': { status: 'success', message: '', ...urls },
  };
  const server = createServer((request, response) => {
    const { 'if-match': match = '', 'idempotency-key': key = '' } = request.headers;
    asked.push(`${request.method} ${request.url} ${match}${key as string}`.trim());
    if (request.url?.endsWith('/events') === true) {
      const event = { tenant_id: 't', event_type: 'tenant_ready', status: 'running', message: 'It runs' };
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.end(`id: 1\nevent: provisioning\ndata: ${JSON.stringify(event)}\n\n`);
      return;
    }
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(answers[`${request.method} ${request.url}`]));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const { printed, promised } = await runReadme('cloud-api', {
    folder: join(folder, 'cloud-api'),
    replace: { "environment: 'sandbox'": `environment: '${url}'` },
    names: { readMyToken: () => 'token', id: 't', signal: undefined },
  });
  expect(printed).toEqual([...promised, 'tenant_ready It runs']);
  expect(asked).toEqual([
    'GET /api/v1/tenants',
    'GET /api/v1/tenants/t/events',
    'GET /api/v1/tenants/t',
    'PATCH /api/v1/tenants/t "7"',
    'POST /api/v1/tenants/t/rotate-credentials rotation-of-march',
  ]);
});

test('@sp/checkout buys a tenant of a local cloud as in its README', async () => {
  const dataDir = join(folder, 'cloud');
  const cloud: LocalCloud = await startLocalCloud({ dataDir, port: 0, machines: 'process' });
  onTestFinished(async () => {
    await cloud.stop();
    await removeLocalCloud({ dataDir });
  });
  const { printed, promised } = await runReadme('checkout', {
    folder: join(folder, 'checkout'),
    replace: { "environment: 'sandbox'": `environment: '${cloud.url}'` },
    names: { token: await logIn(cloud.url) },
    onLine: (line) => {
      const [, url] = /^Pay here: (\S+)$/.exec(line) ?? [];
      if (url !== undefined) void submit(url, { action: 'pay' }).then((location) => fetch(location));
    },
  });
  expect(printed[0]).toMatch(/^Pay here: /);
  expect(printed.slice(1)).toContain('infrastructure_ready');
  const keys = (line: string): string[] => Array.from(line.matchAll(/(\w+): /g), ([, key = '']) => key).toSorted();
  expect(keys(printed.at(-2) ?? '')).toEqual(keys(promised[0] ?? 'none'));
  expect(printed.at(-2)).toContain('needsDeploy: true');
  expect(printed.at(-1)).toBe(promised[1]);
});

async function submit(address: string, form: Record<string, string>): Promise<string> {
  const response = await fetch(address, { method: 'POST', body: new URLSearchParams(form), redirect: 'manual' });
  return response.headers.get('location') ?? '';
}

async function logIn(url: string): Promise<string> {
  const query = new URLSearchParams({ redirect_uri: 'http://127.0.0.1:45678/callback' });
  const begun = await fetch(`${url}/api/v1/auth/oauth/github?${query.toString()}`);
  const { authorize_url: page } = (await begun.json()) as { authorize_url: string };
  const form = Object.fromEntries(new URL(page).searchParams);
  const person = { action: 'continue', name: 'Ada', email: 'ada@example.com' };
  const callback = await submit(`${url}/sandbox/identity`, { ...form, ...person });
  const back = await fetch(callback, { redirect: 'manual' });
  return new URL(back.headers.get('location') ?? '').searchParams.get('access_token') ?? '';
}
