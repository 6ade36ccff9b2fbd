import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Images } from '../src/images/registry.ts';
import { type LocalCloud, removeLocalCloud, startLocalCloud } from '../src/index.ts';
import { getPage, loginTo } from './cloud-user.ts';
import { type MachineFacts, pushMachineImage } from './machine-image.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sp local '));
});
afterAll(async () => {
  for (const name of ['a', 'b', 'c']) await removeLocalCloud({ dataDir: join(folder, name) });
  await rm(folder, { recursive: true, force: true });
});

const start = (name: string): Promise<LocalCloud> =>
  startLocalCloud({ dataDir: join(folder, name), port: 0, machines: 'process' });

interface Deploy {
  readonly status: string;
  readonly app_url?: string;
  readonly message?: string;
  readonly release_id: string;
}

test('from login to a page that runs, over a failed deploy and a restart', async () => {
  let cloud = await start('a');
  const { url } = cloud;
  const ada = await loginTo(url, 'ada@example.com');
  const { tenantId, eventTypes } = await ada.buyTenant('shop');
  expect(eventTypes).toEqual([
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

  const path = `/api/v1/tenants/${tenantId}`;
  const login = await ada.call<{ registry: string; repository: string; tag: string }>(`${path}/registry-token`);
  const image = `${login.registry}/${login.repository}:${login.tag}`;
  const images = { issueToken: async () => login } as unknown as Images;
  await pushMachineImage({ images, tenantId, directory: join(folder, 'build') });
  await ada.call(`${path}/secrets`, { method: 'POST', json: { secrets: { GREETING: 'hello', PORT: '1' } } });
  const first = await ada.call<Deploy>(`${path}/deploy`, { method: 'POST', json: { image } });
  expect(first).toMatchObject({ status: 'running' });

  const host = new URL(first.app_url ?? '').host;
  const facts = async (): Promise<MachineFacts> =>
    JSON.parse((await getPage(`${url}/facts`, host)).body) as MachineFacts;
  const { env, pid } = await facts();
  expect(env).toMatchObject({
    GREETING: 'hello',
    JWT_ISSUER: 'systemprompt',
    DATABASE_TYPE: 'postgres',
    FLY_MACHINE_ID: first.release_id,
  });
  expect(env['DATABASE_URL']).toMatch(/^postgresql:\/\/sp_[0-9a-f]{12}_app:/);
  expect(env['DATABASE_PASSWORD']).toBeUndefined();

  // The next release crashes: the first goes on, in the same process.
  await ada.call(`${path}/secrets`, { method: 'POST', json: { secrets: { CRASH: '3' } } });
  const failed = await ada.call<Deploy>(`${path}/deploy`, { method: 'POST', json: { image } });
  expect(failed.status).toBe('failed');
  expect(failed.message).toMatch(/exited with code 3/);
  expect((await facts()).pid).toBe(pid);
  expect(await ada.call(`${path}/status`)).toMatchObject({ status: 'running' });

  await ada.call(`${path}/secrets/CRASH`, { method: 'DELETE' });
  const third = await ada.call<Deploy>(`${path}/deploy`, { method: 'POST', json: { image } });
  expect(third.status).toBe('running');
  expect((await facts()).env['FLY_MACHINE_ID']).toBe(third.release_id);
  // The answer comes with the switch; the old machine is stopped after it.
  await expect.poll(() => isAlive(pid)).toBe(false);

  const before = await facts();
  await cloud.stop();
  expect(() => process.kill(before.pid, 0)).toThrow(/ESRCH/);
  await expect(fetch(`${url}/healthz`)).rejects.toThrow();

  cloud = await start('a');
  expect(cloud.url).toBe(url);
  // The machine is started again by then; that its program listens is its own affair.
  await expect.poll(async () => (await getPage(`${url}/facts`, host)).status).toBe(200);
  const after = await facts();
  expect(after.pid).not.toBe(before.pid);
  expect(after.env).toMatchObject({ FLY_MACHINE_ID: third.release_id, DATABASE_URL: before.env['DATABASE_URL'] });
  expect(await ada.call(`${path}/status`)).toMatchObject({ status: 'running' });
  await cloud.stop();

  const log = await readFile(join(folder, 'a', 'logs', 'api.log'), 'utf8');
  for (const secret of [env['JWT_SECRET'], env['SYNC_TOKEN'], new URL(env['DATABASE_URL'] ?? '').password]) {
    expect(secret).toBeTruthy();
    expect(log.includes(secret ?? '')).toBe(false);
  }
});

test('says that it runs in a file, and takes the file away when it stops', async () => {
  const cloud = await start('b');
  const path = join(folder, 'b', 'local-cloud.json');
  const file = JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>;
  expect(file).toMatchObject({ pid: process.pid, url: cloud.url, machines: 'process' });
  expect(Number.isNaN(Date.parse(String(file['started_at'])))).toBe(false);
  expect((await stat(join(folder, 'b'))).mode & 0o777).toBe(0o700);
  expect(await (await fetch(`${cloud.url}/healthz`)).json()).toEqual({ status: 'ok' });
  expect((await cloud.fetch(new Request(`${cloud.url}/healthz`))).status).toBe(200);
  expect((await getPage(cloud.url, 'nobody-123456.localhost')).status).toBe(404);

  await expect(start('b')).rejects.toMatchObject({
    code: 'SP_LOCAL_ALREADY_RUNNING',
    pid: process.pid,
    url: cloud.url,
  });
  expect(await (await fetch(`${cloud.url}/healthz`)).json()).toEqual({ status: 'ok' });

  await Promise.all([cloud.stop(), cloud.stop()]);
  expect(existsSync(path)).toBe(false);
  expect(existsSync(join(folder, 'b', 'local-cloud.lock'))).toBe(false);
});

test('a busy port is an error that names it, and nothing is left running', async () => {
  const other = createServer();
  const port = await new Promise<number>((done) => {
    other.listen(0, '127.0.0.1', () => done((other.address() as AddressInfo).port));
  });
  const dataDir = join(folder, 'c');
  await expect(startLocalCloud({ dataDir, port, machines: 'process' })).rejects.toMatchObject({
    code: 'SP_LOCAL_PORT_BUSY',
    port,
  });
  expect(existsSync(join(dataDir, 'local-cloud.lock'))).toBe(false);
  expect(existsSync(join(dataDir, 'postgres'))).toBe(false);
  other.close();
  await using cloud = await startLocalCloud({ dataDir, port: 0, machines: 'process' });
  expect(cloud.machines).toBe('process');
});

test('an interrupted start leaves nothing running', async () => {
  const signal = AbortSignal.abort(new Error('interrupted'));
  const dataDir = join(folder, 'c');
  await expect(startLocalCloud({ dataDir, port: 0, machines: 'process', signal })).rejects.toThrow('interrupted');
  expect(existsSync(join(dataDir, 'local-cloud.lock'))).toBe(false);
  expect(existsSync(join(dataDir, 'local-cloud.json'))).toBe(false);
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
