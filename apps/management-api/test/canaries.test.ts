import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Images } from '../src/images/registry.ts';
import { type LocalCloud, removeLocalCloud, startLocalCloud } from '../src/index.ts';
import { openFileVault } from '../src/vault/file-vault.ts';
import { loginTo } from './cloud-user.ts';
import { pushMachineImage } from './machine-image.ts';

/** What must be found nowhere, by what it is. */
const secrets = new Map<string, string>();
/** Everything that the journey showed to anybody, by where. */
const shown: { where: string; text: string }[] = [];
const logged: string[] = [];
let folder: string;
let cloud: LocalCloud;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sp-canaries-'));
  // Everything, and without the net that hides secrets by their names.
  const logger = pino({ level: 'trace' }, { write: (line: string) => logged.push(line) });
  cloud = await startLocalCloud({ dataDir: join(folder, 'cloud'), port: 0, machines: 'process', logger });
});
afterAll(async () => {
  await cloud.stop();
  await removeLocalCloud({ dataDir: join(folder, 'cloud') });
  await rm(folder, { recursive: true, force: true });
});

const canary = (name: string): string => {
  const value = `canary-${name}-${randomBytes(12).toString('hex')}`;
  secrets.set(name, value);
  return value;
};

/** A text as it is, and as it looks in what hides nothing. */
function spellings(secret: string): string[] {
  const bytes = Buffer.from(secret);
  const encoded = [bytes.toString('base64').replaceAll('=', ''), bytes.toString('base64url'), bytes.toString('hex')];
  return [secret, encodeURIComponent(secret), ...encoded];
}

function findIn(text: string): string[] {
  return [...secrets].filter(([, secret]) => spellings(secret).some((at) => text.includes(at))).map(([name]) => name);
}

async function login(): Promise<{ access_token: string; refresh_token: string }> {
  const redirectUri = 'http://127.0.0.1:45678/callback';
  const verifier = randomBytes(32).toString('base64url');
  const challenge = createHash('sha256').update(verifier).digest('base64url');
  const query = {
    redirect_uri: redirectUri,
    state: 'client-state',
    code_challenge: challenge,
    scope: 'offline_access',
  };
  const begun = await fetch(`${cloud.url}/api/v1/auth/oauth/github?${new URLSearchParams(query)}`);
  const { authorize_url: authorizeUrl } = (await begun.json()) as { authorize_url: string };
  const person = { action: 'continue', name: 'Ada', email: 'ada@example.com' };
  const form = new URLSearchParams({ ...Object.fromEntries(new URL(authorizeUrl).searchParams), ...person });
  const posted = await fetch(`${cloud.url}/sandbox/identity`, { method: 'POST', body: form, redirect: 'manual' });
  const back = await fetch(posted.headers.get('location') ?? '', { redirect: 'manual' });
  const code = new URL(back.headers.get('location') ?? '').searchParams.get('code') ?? '';
  secrets.set('authorization code', code);
  secrets.set('code verifier', verifier);
  const json = { grant_type: 'authorization_code', code, code_verifier: verifier, redirect_uri: redirectUri };
  const answer = await fetch(`${cloud.url}/api/v1/auth/token`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(json),
  });
  return (await answer.json()) as { access_token: string; refresh_token: string };
}

test('a whole journey with failures shows no secret anywhere', async () => {
  const ada = await loginTo(cloud.url, 'ada@example.com');
  const tokens = await login();
  secrets.set('long access token', ada.token);
  secrets.set('access token', tokens.access_token);
  secrets.set('refresh token', tokens.refresh_token);

  /** A request whose answer is looked at as well. */
  const ask = async (path: string, init: { method?: string; body?: string; headers?: Record<string, string> } = {}) => {
    const response = await ada.fetch(path, init);
    const text = await response.text();
    shown.push({
      where: `answer of ${init.method ?? 'GET'} ${path}`,
      text: `${text}${JSON.stringify([...response.headers])}`,
    });
    return { status: response.status, text };
  };
  const post = (path: string, json: unknown) => ask(path, { method: 'POST', body: JSON.stringify(json) });

  const { tenantId } = await ada.buyTenant('canary');
  const path = `/api/v1/tenants/${tenantId}`;
  const { secrets_url: link } = await ada.call<{ secrets_url: string }>(`${path}/status`);
  secrets.set('one-time link', link.split('/').at(-1) ?? '');
  const credentials = await ada.call<Record<string, string>>(link);
  secrets.set('database password', new URL(credentials['database_url'] ?? '').password);
  secrets.set('JWT secret', credentials['jwt_secret'] ?? '');
  secrets.set('sync token', credentials['sync_token'] ?? '');
  expect((await ask(link)).status).toBe(410);

  const token = await ada.call<{ token: string }>('/api/v1/auth/api-tokens', {
    method: 'POST',
    json: { name: 'CI', scopes: ['tenants:read', 'account'] },
  });
  secrets.set('API token', token.token);
  await ask('/api/v1/auth/api-tokens', { headers: { authorization: `Bearer ${token.token}` } });
  await post(`${path}/deploy`, {});
  await ask(`${path}/restart`, { method: 'POST', headers: { authorization: `Bearer ${token.token}` } });

  // What is set, and what is refused, with values in every place that an error may quote.
  const value = canary('user secret');
  expect((await post(`${path}/secrets`, { secrets: { API_KEY: value } })).status).toBe(204);
  await post(`${path}/secrets`, { secrets: { 'not a name': value } });
  await post(`${path}/secrets`, { secrets: { API_KEY: 5, OTHER: value } });
  await post(`${path}/secrets`, { secrets: { FLY_APP_NAME: value } });
  expect((await post(`${path}/secrets`, { secrets: { NUL: `${value}\0` } })).status).toBe(400);
  await ask(`${path}/secrets`, { method: 'POST', body: `{"secrets": {"API_KEY": "${value}"` });
  await ask(`${path}/secrets`, { method: 'POST', body: value, headers: { 'content-type': 'text/plain' } });
  await ask('/api/v1/auth/me', { headers: { authorization: `Bearer ${canary('wrong token')}` } });
  await ask(`${path}/credentials/${canary('wrong link')}`);
  await post('/api/v1/auth/token', { grant_type: 'refresh_token', refresh_token: canary('wrong refresh token') });
  await ask('/api/v1/webhooks/paddle', {
    method: 'POST',
    body: '{}',
    headers: { 'paddle-signature': canary('signature') },
  });

  // A deploy that fails with the secrets in the machine's environment, then one that runs.
  const registry = await ada.call<Record<'registry' | 'repository' | 'tag' | 'token', string>>(
    `${path}/registry-token`,
  );
  secrets.set('registry token', registry.token);
  const image = `${registry.registry}/${registry.repository}:${registry.tag}`;
  const images = { issueToken: async () => registry } as unknown as Images;
  await pushMachineImage({ images, tenantId, directory: join(folder, 'build') });
  await post(`${path}/secrets`, { secrets: { CRASH: '3' } });
  expect((await post(`${path}/deploy`, { image })).text).toContain('failed');
  await ask(`${path}/secrets/CRASH`, { method: 'DELETE' });
  expect((await post(`${path}/deploy`, { image })).text).toContain('running');
  await post(`${path}/deploy`, { image: `${image}x` });

  const external = await ada.call<{ database_url: string }>(`${path}/external-db-access`, {
    method: 'PUT',
    json: { enabled: true },
  });
  secrets.set('external password', new URL(external.database_url).password);
  const keyed = { method: 'POST', headers: { 'idempotency-key': 'rotate' } };
  const rotated = (await (await ada.fetch(`${path}/rotate-credentials`, keyed)).json()) as Record<string, string>;
  secrets.set('new database password', new URL(rotated['internal_database_url'] ?? '').password);
  const sync = await ada.call<{ sync_token: string }>(`${path}/rotate-sync-token`, { method: 'POST' });
  secrets.set('new sync token', sync.sync_token);

  for (const at of [
    '',
    '/secrets',
    '/releases',
    '/releases/1',
    '/logs',
    '/audit-log?limit=200',
    '/external-db-access',
  ]) {
    await ask(`${path}${at}`);
  }
  await ask('/api/v1/tenants');
  await ask('/api/v1/auth/me');
  await ask('/api/v1/auth/sessions');
  await ask(`${path}/events`, { headers: { 'last-event-id': '0' } });

  // What the operator has.
  const data = join(folder, 'cloud');
  const password = await readFile(join(data, 'postgres', 'postgres-password'), 'utf8');
  const key = await readFile(join(data, 'keys', 'vault.key'), 'utf8');
  const vault = await openFileVault({ path: join(data, 'keys', 'vault.key') });
  secrets.set('admin password', password.trim());
  secrets.set('vault key', key.trim());
  secrets.set('webhook secret', vault.derive('sandbox webhooks').toString('base64url'));
  for (const [name, secret] of secrets) expect(secret.length, name).toBeGreaterThan(11);

  await lookAtDatabases(data, password);
  await lookAtProcesses();
  shown.push({ where: 'log', text: logged.join('') });
  for (const file of await readdir(data, { recursive: true })) {
    if (file.endsWith('.log')) shown.push({ where: file, text: await readFile(join(data, file), 'utf8') });
  }
  expect(logged.length).toBeGreaterThan(50);
  expect(shown.length).toBeGreaterThan(80);
  const leaks = shown
    .map(({ where, text }) => ({ where, found: findIn(text) }))
    .filter(({ found }) => found.length > 0);
  expect(leaks).toEqual([]);
});

test('a secret that is somewhere is found', () => {
  for (const [name, secret] of secrets) {
    for (const text of spellings(secret)) expect(findIn(`before${text}after`), name).toContain(name);
  }
});

/** Every row of every table, as text. */
async function lookAtDatabases(dataDir: string, password: string): Promise<void> {
  const port = Number(await readFile(join(dataDir, 'postgres', 'postgres-port'), 'utf8'));
  for (const database of ['systemprompt', 'systemprompt_dbos']) {
    const client = new Client({ host: '127.0.0.1', port, user: 'postgres', password, database });
    await client.connect();
    try {
      const { rows: tables } = await client.query<{ name: string }>(
        `select format('%I.%I', schemaname, tablename) as name from pg_tables
         where schemaname not in ('pg_catalog', 'information_schema')`,
      );
      expect(tables.length).toBeGreaterThan(5);
      for (const { name } of tables) {
        const { rows } = await client.query<{ text: string }>(`select t::text as text from ${name} t`);
        shown.push({ where: `${database} ${name}`, text: rows.map(({ text }) => text).join('\n') });
      }
    } finally {
      await client.end();
    }
  }
}

/** The arguments of every process of this computer. */
async function lookAtProcesses(): Promise<void> {
  const pids = await readdir('/proc').catch(() => []);
  for (const pid of pids.filter((name) => /^\d+$/.test(name))) {
    const text = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    shown.push({ where: `arguments of ${pid}`, text });
  }
}
