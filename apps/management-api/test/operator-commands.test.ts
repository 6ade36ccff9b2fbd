import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { renderConfigurationTable } from '../src/configuration/describe-configuration.ts';
import { type EmbeddedPostgres, removeEmbeddedPostgres, startEmbeddedPostgres } from '../src/postgres/embedded.ts';
import { loginTo } from './cloud-user.ts';
import { freePort } from './free-port.ts';
import { killPrograms, runProgram, startServe } from './operator-program.ts';

// Whole processes, of which a busy computer starts one in many seconds.
vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

let folder: string;
let postgres: EmbeddedPostgres;
const vaultKey = randomBytes(32).toString('base64');

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sp-operator-'));
  postgres = await startEmbeddedPostgres({ dataDir: join(folder, 'postgres') });
});
afterAll(async () => {
  killPrograms();
  await postgres?.stop();
  await removeEmbeddedPostgres({ dataDir: join(folder, 'postgres') });
  await rm(folder, { recursive: true, force: true });
});

/** An environment of its own: an empty database, folders, a port. */
async function environment(name: string): Promise<Record<string, string>> {
  const admin = new Client({ connectionString: postgres.url });
  await admin.connect();
  await admin.query(`CREATE DATABASE ${name}`);
  // `doctor` tells of every database that tenants could enter, those of other tests among them.
  await admin.query(`REVOKE CONNECT, TEMPORARY ON DATABASE ${name} FROM PUBLIC`);
  await admin.end();
  const databaseUrl = new URL(postgres.url);
  databaseUrl.pathname = `/${name}`;
  const port = await freePort();
  return {
    SP_API_BASE_URL: `http://127.0.0.1:${port}`,
    SP_API_LISTEN_HOST: '127.0.0.1',
    SP_API_PORT: String(port),
    SP_API_DRAIN_SECONDS: '0',
    DATABASE_URL: databaseUrl.href,
    SP_API_VAULT_KEY: vaultKey,
    SP_API_REGISTRY_DIRECTORY: join(folder, name, 'registry'),
    SP_API_MACHINES_DIRECTORY: join(folder, name, 'machines'),
    SP_API_TENANT_DOMAIN: `localhost:${port}`,
    SP_API_MACHINES: 'process',
    SP_API_IDENTITY: 'sandbox',
    SP_API_BILLING: 'sandbox',
    SP_API_METRICS_TOKEN: 'metrics-token-of-16',
  };
}

test('config explains every variable, and checks those that are set', async () => {
  const explained = await runProgram(['config'], {});
  expect(explained.code, explained.stderr).toBe(0);
  expect(explained.stdout).toContain(
    'SP_API_FLY_TOKEN  (text; required when SP_API_MACHINES is fly; secret, or SP_API_FLY_TOKEN_FILE)',
  );
  const json = await runProgram(['config', '--json'], {});
  expect((json.json() as { name: string }[]).map(({ name }) => name)).toContain('DATABASE_URL');
  const table = await runProgram(['config', '--markdown'], {});
  expect(table.stdout).toBe(`${renderConfigurationTable()}\n`);

  const refused = await runProgram(['config', '--check'], { SP_API_PORT: 'http' });
  expect(refused.code).toBe(2);
  expect(refused.stdout).toBe('');
  expect(refused.stderr).toContain('  SP_API_BASE_URL is missing\n');
  expect(refused.stderr).toContain('  SP_API_PORT is not a whole number from 0 to 65535\n');
  // Every command that needs them says the same.
  const commands = ['serve', 'migrate', 'doctor', 'rotate-keys'];
  for (const ended of await Promise.all(commands.map((command) => runProgram([command, '--json'], {})))) {
    expect(ended.code).toBe(2);
    expect(ended.json()).toMatchObject({ error: { code: 'SP_CONFIGURATION_INVALID' } });
  }
});

test('what is typed wrongly is a usage error', async () => {
  const wrong = [[], ['fly'], ['migrate', '--fast'], ['create-token', '--user', 'ada@example.com']];
  await Promise.all(
    wrong.map(async (args) => {
      const ended = await runProgram(args, {});
      expect(ended.code, args.join(' ')).toBe(2);
      expect(ended.stderr).not.toBe('');
      const json = await runProgram([...args, '--json'], {});
      expect([json.code, json.json(), json.stderr]).toMatchObject([2, { error: { code: 'SP_USAGE' } }, '']);
    }),
  );
  expect((await runProgram(['srve'], {})).stderr).toContain('Did you mean serve?');
  expect((await runProgram(['--version'], {})).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
});

test('a database that does not answer is named without its password', async () => {
  const env = await environment('unreachable');
  const url = `postgresql://ada:canary@127.0.0.1:${await freePort()}/db`;
  for (const command of ['serve', 'migrate', 'rotate-keys']) {
    const ended = await runProgram([command], { ...env, DATABASE_URL: url });
    expect(ended.code, command).toBe(12);
    expect(ended.stderr).toMatch(/^SP_DATABASE_UNREACHABLE: The database at 127\.0\.0\.1:\d+\/db .*ECONNREFUSED/);
    expect(ended.stdout + ended.stderr).not.toContain('canary');
  }
});

// Many processes, one after the other.
test('from an empty database to a service that is looked after, and its orderly end', {
  timeout: 180_000,
}, async () => {
  const env = await environment('whole');
  const early = await runProgram(['serve'], env);
  expect(early.code).toBe(1);
  expect(early.stderr).toContain('SP_DATABASE_OUTDATED: The database is empty');
  // Before the first start nothing but the database's content can be missing.
  const before = await runProgram(['doctor', '--json'], env);
  expect(before.code).toBe(1);
  expect((before.json() as Doctor).findings.filter(({ status }) => status === 'failed')).toEqual([
    { check: 'migrations', status: 'failed', message: 'the database is empty' },
  ]);

  // Several replicas may be told to do it at once.
  const migrated = await Promise.all([runProgram(['migrate', '--json'], env), runProgram(['migrate', '--json'], env)]);
  for (const ended of migrated) expect(ended.code, ended.stderr).toBe(0);
  expect((await runProgram(['migrate', '--json'], env)).json()).toEqual({ status: 'up_to_date' });

  // Secrets may come from files.
  const file = join(folder, 'database-url');
  await writeFile(file, `${env['DATABASE_URL']}\n`, { mode: 0o600 });
  // It knows the vault key of tomorrow already: that is how a new one comes in without a gap.
  const nextKey = randomBytes(32).toString('base64');
  const files = { DATABASE_URL: undefined, DATABASE_URL_FILE: file };
  const service = await startServe({ ...env, ...files, SP_API_PREVIOUS_VAULT_KEYS: nextKey });
  const status = async (path: string, headers: Record<string, string> = {}): Promise<number> =>
    (await fetch(`${service.url}${path}`, { headers })).status;
  expect(await status('/healthz')).toBe(200);
  expect(await status('/readyz')).toBe(200);
  expect(await status('/metrics')).toBe(401);
  expect(await status('/metrics', { authorization: 'Bearer metrics-token-of-16' })).toBe(200);
  const ada = await loginTo(service.url, 'ada@example.com');
  const { tenantId } = await ada.buyTenant('shop');

  const healthy = await runProgram(['doctor', '--json'], env);
  expect((healthy.json() as Doctor).findings.filter((finding) => finding.status !== 'ok')).toEqual([]);
  expect(healthy.code).toBe(0);
  const otherKey = { ...env, SP_API_VAULT_KEY: randomBytes(32).toString('base64') };
  const ill = await runProgram(['doctor'], otherKey);
  expect(ill.code).toBe(1);
  expect(ill.stdout).toMatch(/^FAILED {3}vault key: /m);
  expect(ill.stdout).toMatch(/^FAILED {3}signing keys: /m);

  const wanted = ['--name', 'ci', '--scope', 'tenants:read', '--tenant', tenantId];
  const token = await runProgram(['create-token', '--user', 'ada@example.com', ...wanted, '--json'], env);
  expect(token.code, token.stderr).toBe(0);
  const made = token.json() as { token: string; scopes: string[] };
  expect(made.scopes).toEqual(['tenants:read']);
  expect(await status(`/api/v1/tenants/${tenantId}`, { authorization: `Bearer ${made.token}` })).toBe(200);
  const entries = await ada.call<{ action: string; actor: { kind: string } }[]>(
    `/api/v1/tenants/${tenantId}/audit-log`,
  );
  expect(entries[0]).toMatchObject({ action: 'apiTokens.create', actor: { kind: 'system' } });
  const unknown = await runProgram(['create-token', '--user', 'eve@example.com', ...wanted], env);
  expect([unknown.code, unknown.stderr]).toEqual([5, expect.stringContaining('SP_USER_NOT_FOUND')]);

  const rotated = await runProgram(['rotate-keys', '--json'], env);
  expect(rotated.code, rotated.stderr).toBe(0);
  const jwks = async (): Promise<string[]> =>
    ((await (await fetch(`${service.url}/.well-known/jwks.json`)).json()) as { keys: { kid: string }[] }).keys.map(
      ({ kid }) => kid,
    );
  expect(await jwks()).toHaveLength(1);
  expect((await runProgram(['doctor', '--json'], env)).stdout).toContain(
    (rotated.json() as { signing_key: string }).signing_key,
  );
  // A new vault key: everything is sealed with it, and only then is the earlier one needed no more.
  const both = { ...env, SP_API_VAULT_KEY: nextKey, SP_API_PREVIOUS_VAULT_KEYS: vaultKey };
  expect((await runProgram(['doctor'], both)).stdout).toMatch(
    /^warning {2}vault key: 1 earlier keys are still needed/m,
  );
  const refused = await runProgram(['rotate-keys', '--vault', '--json'], { ...env, SP_API_VAULT_KEY: nextKey });
  expect(refused.code).toBe(1);
  expect(refused.json()).toMatchObject({ vault: { resealed: 0, unreadable: expect.any(Number) as number } });
  const sealed = await runProgram(['rotate-keys', '--vault', '--json'], both);
  expect(sealed.code, sealed.stderr).toBe(0);
  expect(sealed.json()).toMatchObject({ vault: { unreadable: 0 } });
  const after = await runProgram(['doctor'], { ...env, SP_API_VAULT_KEY: nextKey });
  expect(after.stdout).toMatch(/^ok {7}vault key: /m);
  expect(after.stdout).toMatch(/^ok {7}signing keys: /m);
  // The login goes on with its old key.
  expect(await ada.call<{ name: string }>(`/api/v1/tenants/${tenantId}`)).toMatchObject({ name: 'shop' });

  const events = await ada.fetch(`/api/v1/tenants/${tenantId}/events`);
  let seen = '';
  for await (const chunk of events.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    const before = seen;
    seen += chunk;
    // Open streams end with the service: this loop too.
    if (seen.includes('infrastructure_ready') && !before.includes('infrastructure_ready'))
      service.child.kill('SIGTERM');
  }
  expect(seen).toContain('infrastructure_ready');
  const { code, stdout, stderr } = await service.ended;
  expect([code, stderr]).toEqual([0, '']);
  for (const line of stdout.trim().split('\n'))
    expect(JSON.parse(line)).toMatchObject({ service: 'sp-management-api' });
  for (const secret of [vaultKey, made.token, new URL(env['DATABASE_URL'] ?? '').password, 'metrics-token-of-16']) {
    expect(stdout).not.toContain(secret);
  }
});

interface Doctor {
  readonly healthy: boolean;
  readonly findings: readonly { readonly check: string; readonly status: string; readonly message: string }[];
}

// Many processes, one after the other.
test('a replica that leaves says so, answers what was begun, and lets nobody in afterwards', {
  timeout: 180_000,
}, async () => {
  const env = { ...(await environment('leaving')), SP_API_DRAIN_SECONDS: '30' };
  const service = await startServe(env, ['--migrate']);
  expect((await fetch(`${service.url}/readyz`)).status).toBe(200);
  service.child.kill('SIGTERM');
  while ((await fetch(`${service.url}/readyz`)).status !== 503);
  // Load balancers need a while to see it: until then it goes on.
  expect((await fetch(`${service.url}/healthz`)).status).toBe(200);
  const slow = await beginRequest(service.url);
  // Whoever is in a hurry says it twice.
  service.child.kill('SIGTERM');
  while (
    await fetch(`${service.url}/healthz`).then(
      () => true,
      () => false,
    )
  );
  expect(await slow.finish()).toBe(200);
  expect((await service.ended).code).toBe(0);
  await expect(fetch(`${service.url}/healthz`)).rejects.toThrow();
});

/** A request of which the server has the first half. */
async function beginRequest(url: string): Promise<{ finish(): Promise<number | undefined> }> {
  const body = JSON.stringify({ scope: 'offline_access' });
  const headers = { 'content-type': 'application/json', 'content-length': body.length };
  const outgoing = request(`${url}/api/v1/auth/device`, { method: 'POST', headers });
  const answered = new Promise<number | undefined>((done, fail) => {
    outgoing.on('response', (response) => {
      response.resume();
      done(response.statusCode);
    });
    outgoing.on('error', fail);
  });
  await new Promise((done) => outgoing.write(body.slice(0, 5), done));
  // The server has read it once it has answered somebody who came later.
  await fetch(`${url}/healthz`);
  return {
    finish: () => {
      outgoing.end(body.slice(5));
      return answered;
    },
  };
}

test('a port that is taken is a conflict', async () => {
  const env = await environment('taken');
  const service = await startServe(env, ['--migrate']);
  const elsewhere = { SP_API_MACHINES_DIRECTORY: join(folder, 'taken', 'other-machines') };
  const second = await runProgram(['serve'], { ...env, ...elsewhere });
  expect([second.code, second.stderr]).toEqual([
    6,
    expect.stringMatching(/^SP_LISTEN_FAILED: .*another process listens there \(EADDRINUSE\)\n$/),
  ]);
  service.child.kill('SIGTERM');
  expect((await service.ended).code).toBe(0);
});

test('each command says what it is for, and what it ends with', async () => {
  const commands = ['serve', 'migrate', 'rotate-keys', 'doctor', 'create-token', 'config', 'local'];
  const whole = await runProgram(['--help'], {});
  for (const command of commands) expect(whole.stdout).toContain(`sp-management-api ${command} `);
  const helps = await Promise.all(commands.map((command) => runProgram([command, '--help'], {})));
  for (const { code, stdout, stderr } of [whole, ...helps]) {
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout.replaceAll(/\s+/g, ' ')).toContain('12 database unreachable');
    for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(100);
  }
});

test('a place that takes connections and never says anything is given up', async () => {
  const silent = createServer(() => {});
  await new Promise<void>((done) => silent.listen(0, '127.0.0.1', done));
  try {
    const { port } = silent.address() as { port: number };
    const env = await environment('silent');
    const ended = await runProgram(['serve'], { ...env, DATABASE_URL: `postgresql://a:canary@127.0.0.1:${port}/db` });
    expect([ended.code, ended.stdout]).toEqual([12, '']);
    expect(ended.stderr).toMatch(/^SP_DATABASE_UNREACHABLE: .*timeout expired\n$/);
  } finally {
    silent.close();
  }
});

test('an earlier version works with the database of a later one, and says so', async () => {
  const env = await environment('later');
  expect((await runProgram(['migrate'], env)).code).toBe(0);
  const client = new Client({ connectionString: env['DATABASE_URL'] ?? '' });
  await client.connect();
  await client.query(`insert into drizzle.__drizzle_migrations (hash, created_at) values ('later', 99999999999999)`);
  await client.end();
  expect((await runProgram(['migrate', '--json'], env)).json()).toEqual({ status: 'later_version' });
  expect((await runProgram(['doctor'], env)).stdout).toMatch(/^warning {2}migrations: .* 1 are of a later version/m);
  const service = await startServe(env);
  expect((await fetch(`${service.url}/readyz`)).status).toBe(200);
  expect(service.log()).toContain('the database is of a later version than this program');
  service.child.kill('SIGTERM');
  expect((await service.ended).code).toBe(0);
});
