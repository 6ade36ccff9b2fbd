import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomBytes, randomInt } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Client } from 'pg';
import { afterAll, beforeAll, expect, type TestContext, test } from 'vitest';
// @boundaries-ignore one person with a browser serves both
import { type CloudUser, loginTo } from '../../apps/management-api/test/cloud-user.ts';
import { type FakeFly, startFakeFly } from '../src/fake-fly/fake-fly.ts';
import { type Balancer, startBalancer } from './support/balancer.ts';
import { type DebianPostgres, startDebianPostgres } from './support/debian-postgres.ts';
import { findPostgres, requirePart } from './support/require-part.ts';

const root = new URL('../../', import.meta.url);
const program = fileURLToPath(new URL('apps/management-api/bin/sp-management-api.js', root));
const runbook = await readFile(new URL('docs/operating.md', root), 'utf8');
const flyToken = 'fly-token-of-the-tenants';

/** The shell of a section, as an operator pastes it. */
function shellOf(title: string): string {
  const [, section = ''] = new RegExp(`^## ${title}\\n([\\s\\S]*?)(?=^## )`, 'm').exec(runbook) ?? [];
  const blocks = [...section.matchAll(/^ *```sh\n([\s\S]*?)^ *```$/gm)].map(([, text = '']) => text);
  if (blocks.length === 0) throw new Error(`The runbook has no shell in ${title}`);
  return blocks.join('\n');
}

let folder: string;
let fly: FakeFly;
const running = new Set<ChildProcess>();

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sp-runbook-'));
  fly = await startFakeFly({ tokens: { [flyToken]: 'tenants' }, rateFactor: 100 });
  // What an operator has on the path.
  await mkdir(join(folder, 'bin'));
  const shim = join(folder, 'bin', 'sp-management-api');
  await writeFile(shim, `#!/bin/sh\nexec ${process.execPath} ${program} "$@"\n`);
  await chmod(shim, 0o755);
});
afterAll(async () => {
  for (const child of running) child.kill('SIGKILL');
  await fly?.[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

/** Runs shell of the runbook. */
async function paste(
  shell: string,
  { cwd, env }: { readonly cwd: string; readonly env: Environment },
): Promise<string> {
  const path = `${join(folder, 'bin')}:${findPostgres()}:${process.env['PATH']}`;
  const { stdout } = await promisify(execFile)('bash', ['-c', shell], { cwd, env: { ...env, PATH: path } });
  return stdout;
}

type Environment = Record<string, string>;

interface Replica {
  readonly port: number;
  /** SIGTERM, until it has ended; its exit code. */
  stop(): Promise<number | null>;
}

async function startReplica(env: Environment, port: number): Promise<Replica> {
  const child = spawn(process.execPath, [program, 'serve'], {
    env: { ...env, SP_API_PORT: String(port) },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  running.add(child);
  let log = '';
  child.stdout.on('data', (chunk: Buffer) => (log = `${log}${chunk.toString()}`.slice(-20_000)));
  const ended = new Promise<number | null>((done) => child.once('close', done));
  while (!log.includes('"msg":"serving"')) {
    if (child.exitCode !== null) throw new Error(`serve ended: ${log}`);
    await delay(50);
  }
  return {
    port,
    stop: async () => {
      child.kill('SIGTERM');
      const code = await ended;
      running.delete(child);
      return code;
    },
  };
}

/** Two replicas behind a balancer, on a server of their own. */
interface Installation {
  readonly env: Environment;
  readonly balancer: Balancer;
  /** Starts the first replica alone. */
  startOne(): Promise<void>;
  /** Replaces one replica after the other, with another environment where one is given. */
  replaceAll(changes?: Environment): Promise<void>;
  stop(): Promise<void>;
}

async function install(postgres: DebianPostgres, given: Environment = {}): Promise<Installation> {
  const ports = [randomInt(12_000, 16_000), randomInt(16_000, 20_000)];
  const balancer = await startBalancer(ports);
  let env: Environment = {
    HOME: folder,
    SP_API_BASE_URL: balancer.url,
    SP_API_LISTEN_HOST: '127.0.0.1',
    // The balancer looks five times a second, unless the computer is busy.
    SP_API_DRAIN_SECONDS: '4',
    // All of it comes from one address and one user.
    SP_API_ADDRESS_RATE_LIMIT: '1000000',
    SP_API_USER_RATE_LIMIT: '1000000',
    SP_API_LOG_LEVEL: 'info',
    DATABASE_URL: postgres.url('control'),
    SP_API_VAULT_KEY: randomBytes(32).toString('base64'),
    SP_API_REGISTRY_DIRECTORY: join(folder, 'registry'),
    SP_API_TENANT_DOMAIN: 'fly.dev',
    SP_API_MACHINES: 'fly',
    SP_API_FLY_TOKEN: flyToken,
    SP_API_FLY_ORGANIZATION: 'tenants',
    SP_API_FLY_API_URL: fly.url,
    SP_API_FLY_LOGS_URL: fly.url,
    SP_API_FLY_REGISTRY: fly.registry,
    SP_API_IDENTITY: 'sandbox',
    SP_API_BILLING: 'sandbox',
    ...given,
  };
  let replicas: Replica[] = [];
  const readyCount = async (count: number): Promise<void> => {
    while (balancer.ready.size !== count) await delay(50);
  };
  const installation: Installation = {
    get env() {
      return env;
    },
    balancer,
    startOne: async () => {
      replicas = [await startReplica(env, ports[0] ?? 0)];
      await readyCount(1);
    },
    replaceAll: async (changes = {}) => {
      env = { ...env, ...changes };
      for (const [index, port] of ports.entries()) {
        const code = await replicas[index]?.stop();
        if (code !== undefined) expect(code).toBe(0);
        replicas[index] = await startReplica(env, port);
        await readyCount(replicas.length);
      }
    },
    stop: async () => {
      await Promise.all(replicas.map(({ stop }) => stop()));
      replicas = [];
      await balancer[Symbol.asyncDispose]();
    },
  };
  return installation;
}

/** Reads and writes all the time, until it is stopped; what was not answered as it should be. */
function work(user: CloudUser, tenantId: string): { readonly stop: () => Promise<{ done: number; failed: string[] }> } {
  const failed: string[] = [];
  let done = 0;
  const over = new AbortController();
  const loop = async (act: () => Promise<unknown>): Promise<void> => {
    while (!over.signal.aborted) {
      await act().then(
        () => (done += 1),
        (error: Error) => failed.push(`${error.message} ${String(error.cause)}`),
      );
      await delay(20);
    }
  };
  const secrets = `/api/v1/tenants/${tenantId}/secrets`;
  const loops = [
    loop(() => user.call('/api/v1/tenants')),
    loop(() => user.call(`/api/v1/tenants/${tenantId}/status`)),
    loop(() => user.call(secrets, { method: 'PUT', json: { secrets: { GREETING: String(done) } } })),
  ];
  return {
    stop: async () => {
      over.abort();
      await Promise.all(loops);
      return { done, failed };
    },
  };
}

async function query(url: string, text: string): Promise<readonly Record<string, unknown>[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(text)).rows;
  } finally {
    await client.end();
  }
}

// Whole servers, replicas and backups, one after the other.
test('the runbook works as it is written: upgrade, keys, backup and restore', {
  timeout: 600_000,
}, async (context: TestContext) => {
  requirePart('postgres', context);
  const first = await startDebianPostgres();
  let second: DebianPostgres | undefined;
  let now: Installation | undefined;
  try {
    await query(first.url('postgres'), 'create database control');
    now = await install(first);
    const cwd = join(folder, 'backup');
    await mkdir(cwd);
    await paste('sp-management-api migrate', { cwd, env: now.env });
    await now.startOne();
    // The sandbox of logins remembers in its process who is about to log in.
    const ada = await loginTo(now.balancer.url, 'ada@example.com');
    await now.replaceAll();
    const { tenantId, eventTypes } = await ada.buyTenant('kept');
    expect(eventTypes.at(-1)).toBe('infrastructure_ready');

    // Upgrade without downtime: not one request fails.
    const upgrading = work(ada, tenantId);
    await paste('sp-management-api migrate', { cwd, env: now.env });
    await now.replaceAll();
    const upgraded = await upgrading.stop();
    expect(upgraded.failed.slice(0, 5)).toEqual([]);
    expect(upgraded.done).toBeGreaterThan(20);

    // Keys, in the steps of the runbook; again nobody notices.
    const { SP_API_VAULT_KEY: earlier = '' } = now.env;
    const next = randomBytes(32).toString('base64');
    const rotating = work(ada, tenantId);
    await now.replaceAll({ SP_API_PREVIOUS_VAULT_KEYS: next });
    await now.replaceAll({ SP_API_VAULT_KEY: next, SP_API_PREVIOUS_VAULT_KEYS: earlier });
    const said = await paste(shellOf('Keys'), { cwd, env: now.env });
    expect(said).toMatch(/^ok {7}vault key: .* has sealed everything$/m);
    await now.replaceAll({ SP_API_PREVIOUS_VAULT_KEYS: '' });
    expect((await rotating.stop()).failed.slice(0, 5)).toEqual([]);
    expect(await paste('sp-management-api doctor', { cwd, env: now.env })).not.toContain('FAILED');

    // Data of the tenant's own, in the way in which its machine would write it.
    const { secrets_url: link } = await ada.call<{ secrets_url: string }>(`/api/v1/tenants/${tenantId}/status`);
    const own = await ada.call<{ internal_database_url: string }>(new URL(link).pathname);
    await query(own.internal_database_url, `create table notes as select 'remembered' as note`);
    await paste(shellOf('Backup'), { cwd, env: now.env });
    await ada.buyTenant('lost');
    await now.stop();
    await first[Symbol.asyncDispose]();

    // The server is gone; another one has nothing but what every new one has.
    second = await startDebianPostgres();
    const restored: Environment = { ...now.env, DATABASE_URL: second.url('control') };
    const doctor = await paste(shellOf('Restore').replace(/doctor$/m, 'doctor || true'), { cwd, env: restored });
    expect(doctor).toMatch(/^ok {7}vault key: /m);
    expect(doctor).toMatch(/^ok {7}signing keys: /m);
    expect(doctor).toMatch(/^ok {7}audit log: /m);
    expect(doctor).toMatch(/^warning {2}providers and database: differ: /m);
    now = await install(second, restored);
    await now.replaceAll();
    const again = await fetch(`${now.balancer.url}/api/v1/tenants`, {
      headers: { authorization: `Bearer ${ada.token}` },
    });
    const { data } = (await again.json()) as { data: { id: string; name: string }[] };
    expect(data).toMatchObject([{ id: tenantId, name: 'kept' }]);
    const moved = new URL(own.internal_database_url);
    moved.host = new URL(second.url('control')).host;
    expect(await query(moved.href, 'select note from notes')).toEqual([{ note: 'remembered' }]);
    // Nobody but the tenant may connect to its database, as before.
    const rights = `select has_database_privilege('public', datname, 'connect') as open from pg_database where datname ~ '^sp_'`;
    expect(await query(second.url('control'), rights)).toEqual([{ open: false }]);
  } finally {
    await now?.stop().catch(() => {});
    await first[Symbol.asyncDispose]();
    await second?.[Symbol.asyncDispose]();
  }
});
