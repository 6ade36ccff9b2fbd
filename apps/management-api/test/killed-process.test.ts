import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client } from 'pg';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { removeLocalCloud } from '../src/index.ts';
import { loginTo } from './cloud-user.ts';

// Whole processes, of which a busy computer starts one in many seconds.
vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

const program = fileURLToPath(new URL('../bin/sp-management-api.js', import.meta.url));
const children = new Set<ChildProcess>();
let folder: string;

beforeAll(async () => {
  if (!existsSync(new URL('../dist/main.js', import.meta.url))) throw new Error('Build the package before this test');
  folder = await mkdtemp(join(tmpdir(), 'sp-killed-'));
});
afterAll(async () => {
  for (const child of children) child.kill('SIGKILL');
  for (const name of ['a', 'b']) await removeLocalCloud({ dataDir: join(folder, name) });
  await rm(folder, { recursive: true, force: true });
});

interface Program {
  readonly child: ChildProcess;
  readonly ended: Promise<{ code: number | null; stdout: string; stderr: string }>;
  ready(): Promise<{ url: string; machines: string }>;
}

function run(name: string, ...more: string[]): Program {
  const args = ['local', '--data-dir', join(folder, name), '--machines', 'process', ...more];
  const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  children.add(child);
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const ended = new Promise<{ code: number | null; stdout: string; stderr: string }>((done) => {
    child.on('close', (code) => {
      children.delete(child);
      done({ code, stdout, stderr });
    });
  });
  const ready = async (): Promise<{ url: string; machines: string }> => {
    while (!stdout.includes('\n')) {
      await new Promise((done) => setTimeout(done, 20));
      if (child.exitCode !== null || child.signalCode !== null) throw new Error(`ended: ${stderr}`);
    }
    return JSON.parse(stdout) as { url: string; machines: string };
  };
  return { child, ended, ready };
}

async function query(dataDir: string, text: string): Promise<Record<string, unknown>[]> {
  const password = await readFile(join(dataDir, 'postgres', 'postgres-password'), 'utf8');
  const port = Number(await readFile(join(dataDir, 'postgres', 'postgres-port'), 'utf8'));
  const client = new Client({ host: '127.0.0.1', port, user: 'postgres', password, database: 'systemprompt' });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(text)).rows;
  } finally {
    await client.end();
  }
}

test('a process that was killed in the middle of provisioning finishes it after a restart, and makes nothing twice', async () => {
  const dataDir = join(folder, 'a');
  const first = run('a', '--port', '0', '--provider-delay-ms', '400');
  const { url } = await first.ready();
  const ada = await loginTo(url, 'ada@example.com');
  // The stream breaks with the process.
  const buying = ada.buyTenant('shop').catch(() => undefined);
  const created = `select 1 from tenant_events where event_type = 'database_created'`;
  while ((await query(dataDir, created)).length === 0) await new Promise((done) => setTimeout(done, 10));
  first.child.kill('SIGKILL');
  await first.ended;
  await buying;

  const second = run('a', '--port', '0', '--provider-delay-ms', '400');
  expect(await second.ready()).toEqual({ url, machines: 'process' });
  const [tenant] = await ada.call<{ id: string }[]>('/api/v1/tenants');
  const status = (): Promise<{ status: string }> => ada.call(`/api/v1/tenants/${tenant?.id}/status`);
  while ((await status()).status === 'provisioning') await new Promise((done) => setTimeout(done, 50));
  expect((await status()).status).toBe('awaiting_deploy');

  const events = await query(dataDir, 'select sequence::int, event_type from tenant_events order by sequence');
  expect(events.map((event) => event['event_type'])).toEqual([
    'subscription_created',
    'tenant_created',
    'database_created',
    'secrets_stored',
    'vm_provisioning_started',
    'vm_provisioning_progress',
    'vm_provisioned',
    'secrets_configured',
    'infrastructure_ready',
  ]);
  expect(events.map((event) => event['sequence'])).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
  expect(await query(dataDir, 'select count(*)::int from tenants')).toEqual([{ count: 1 }]);
  expect(await query(dataDir, `select count(*)::int from pg_database where datname ~ '^sp_'`)).toEqual([{ count: 1 }]);
  const credentials = await ada.call<Record<string, string>>(
    (await ada.call<{ secrets_url: string }>(`/api/v1/tenants/${tenant?.id}/status`)).secrets_url,
  );
  const client = new Client({ connectionString: credentials['internal_database_url'] });
  await client.connect();
  await client.end();

  second.child.kill('SIGTERM');
  expect(await second.ended).toMatchObject({ code: 0, stderr: '' });
  await expect(fetch(`${url}/healthz`)).rejects.toThrow();
  await expect(query(dataDir, 'select 1')).rejects.toThrow(/ECONNREFUSED/);
});

test('a busy port and a folder in use are one line on stderr and exit code 6; wrong use is 2', async () => {
  const other = createServer();
  await new Promise<void>((done) => other.listen(0, '127.0.0.1', done));
  const { port } = other.address() as { port: number };
  const busy = await run('b', '--port', String(port)).ended;
  other.close();
  expect(busy).toMatchObject({ code: 6, stdout: '' });
  expect(busy.stderr).toMatch(/^SP_LOCAL_PORT_BUSY: .*\n$/);

  const first = run('b', '--port', '0');
  await first.ready();
  const second = await run('b', '--port', '0').ended;
  expect(second).toMatchObject({ code: 6, stdout: '' });
  expect(second.stderr).toMatch(/^SP_LOCAL_ALREADY_RUNNING: .*\n$/);
  first.child.kill('SIGINT');
  expect((await first.ended).code).toBe(0);

  for (const wrong of [['--port', '70000'], ['--port', 'x'], ['--nonsense'], ['--machines', 'vm']]) {
    const used = await run('b', ...wrong).ended;
    expect(used).toMatchObject({ code: 2, stdout: '' });
    expect(used.stderr).not.toBe('');
  }
});
