import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type EmbeddedPostgres, removeEmbeddedPostgres, startEmbeddedPostgres } from '../src/postgres/embedded.ts';
import { loginTo } from './cloud-user.ts';
import { freePort } from './free-port.ts';
import { killPrograms, runProgram, startServe } from './operator-program.ts';

// Whole processes, of which a busy computer starts one in many seconds.
vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

let folder: string;
let postgres: EmbeddedPostgres;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sp-restore-'));
  postgres = await startEmbeddedPostgres({ dataDir: join(folder, 'postgres') });
});
afterAll(async () => {
  killPrograms();
  await postgres?.stop();
  await removeEmbeddedPostgres({ dataDir: join(folder, 'postgres') });
  await rm(folder, { recursive: true, force: true });
});

async function query(...statements: readonly string[]): Promise<void> {
  const client = new Client({ connectionString: postgres.url });
  await client.connect();
  try {
    for (const statement of statements) await client.query(statement);
  } finally {
    await client.end();
  }
}

async function environment(): Promise<Record<string, string>> {
  const port = await freePort();
  const databaseUrl = new URL(postgres.url);
  databaseUrl.pathname = '/control';
  return {
    SP_API_BASE_URL: `http://127.0.0.1:${port}`,
    SP_API_LISTEN_HOST: '127.0.0.1',
    SP_API_PORT: String(port),
    SP_API_DRAIN_SECONDS: '0',
    DATABASE_URL: databaseUrl.href,
    SP_API_VAULT_KEY: randomBytes(32).toString('base64'),
    SP_API_REGISTRY_DIRECTORY: join(folder, 'registry'),
    SP_API_MACHINES_DIRECTORY: join(folder, 'machines'),
    SP_API_TENANT_DOMAIN: `localhost:${port}`,
    SP_API_MACHINES: 'process',
    SP_API_IDENTITY: 'sandbox',
    SP_API_BILLING: 'sandbox',
  };
}

// Many processes, one after the other.
test('a backup without what the engine knows is enough: what was there is there, and unfinished work is finished', {
  timeout: 180_000,
}, async () => {
  await query('CREATE DATABASE control');
  const env = await environment();
  let service = await startServe(env, ['--migrate']);
  const ada = await loginTo(service.url, 'ada@example.com');
  const { tenantId } = await ada.buyTenant('before');
  service.child.kill('SIGTERM');
  await service.ended;
  // Of a moment in which a tenant was paid for, and nothing was made for it yet.
  await query('CREATE DATABASE backup TEMPLATE control');
  const backup = new Client({ connectionString: env['DATABASE_URL']?.replace('/control', '/backup') ?? '' });
  await backup.connect();
  await backup.query(`update tenants set state = 'provisioning' where id = $1`, [tenantId]);
  await backup.query('delete from tenant_events where sequence > 2');
  await backup.query('update tenants set event_sequence = 2');
  await backup.end();

  // What came after it is lost with the server's disk, and so is what the engine knew.
  service = await startServe(env);
  await ada.buyTenant('after');
  service.child.kill('SIGKILL');
  await service.ended;
  await query(
    'DROP DATABASE control WITH (FORCE)',
    'DROP DATABASE control_dbos WITH (FORCE)',
    'ALTER DATABASE backup RENAME TO control',
  );

  expect((await runProgram(['migrate', '--json'], env)).json()).toEqual({ status: 'up_to_date' });
  const doctor = await runProgram(['doctor', '--json'], env);
  expect(doctor.json(), doctor.stdout).toMatchObject({ healthy: true });
  service = await startServe(env);
  const names = async (): Promise<string[]> =>
    (await ada.call<{ name: string }[]>('/api/v1/tenants')).map(({ name }) => name);
  // The login of before is good: its key was in the backup, and the vault key opens it.
  expect(await names()).toEqual(['before']);
  const state = async (): Promise<string> =>
    (await ada.call<{ status: string }>(`/api/v1/tenants/${tenantId}/status`)).status;
  await expect.poll(state, { timeout: 120_000 }).toBe('awaiting_deploy');
  await ada.buyTenant('again');
  expect(await names()).toEqual(['before', 'again']);
  service.child.kill('SIGTERM');
  expect((await service.ended).code).toBe(0);
});
