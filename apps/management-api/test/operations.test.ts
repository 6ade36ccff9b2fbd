import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Images } from '../src/images/registry.ts';
import { type LocalCloud, removeLocalCloud, startLocalCloud } from '../src/index.ts';
import { type CloudUser, getPage, loginTo } from './cloud-user.ts';
import { type MachineFacts, pushMachineImage } from './machine-image.ts';

const aliases = new Map<string, readonly string[]>();
let folder: string;
let cloud: LocalCloud;
let ada: CloudUser;
const dataDir = (): string => join(folder, 'cloud');
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sp-operations-'));
  cloud = await startLocalCloud({
    dataDir: dataDir(),
    port: 0,
    machines: 'process',
    resolveCname: async (domain) => aliases.get(domain) ?? [],
  });
  ada = await loginTo(cloud.url, 'ada@example.com');
});
afterAll(async () => {
  await cloud.stop();
  await removeLocalCloud({ dataDir: dataDir() });
  await rm(folder, { recursive: true, force: true });
});

interface RunningTenant {
  readonly tenantId: string;
  readonly path: string;
  facts(): Promise<MachineFacts>;
}

/** Buys a tenant and deploys an image whose page shows its environment. */
async function runTenant(name: string): Promise<RunningTenant> {
  const { tenantId } = await ada.buyTenant(name);
  const path = `/api/v1/tenants/${tenantId}`;
  const login = await ada.call<{ registry: string; repository: string; tag: string }>(`${path}/registry-token`);
  const images = { issueToken: async () => login } as unknown as Images;
  await pushMachineImage({ images, tenantId, directory: join(folder, name) });
  const image = `${login.registry}/${login.repository}:${login.tag}`;
  const deploy = await ada.call<{ status: string; app_url: string }>(`${path}/deploy`, {
    method: 'POST',
    json: { image },
  });
  expect(deploy.status).toBe('running');
  const { host } = new URL(deploy.app_url);
  return {
    tenantId,
    path,
    facts: async () => JSON.parse((await getPage(`${cloud.url}/facts`, host)).body) as MachineFacts,
  };
}

const post = <T>(path: string): Promise<T> => ada.call<T>(path, { method: 'POST' });
const state = async (path: string): Promise<string> => (await ada.call<{ status: string }>(`${path}/status`)).status;

async function canLogIn(url: string): Promise<boolean> {
  const client = new Client({ connectionString: url });
  try {
    await client.connect();
    return true;
  } catch {
    return false;
  } finally {
    await client.end();
  }
}

test('a restart is another process with the same release', async () => {
  const { path, facts } = await runTenant('restarts');
  const before = await facts();
  expect(await post(`${path}/restart`)).toEqual({ status: 'running' });
  const after = await facts();
  expect(after.pid).not.toBe(before.pid);
  expect(after.env).toEqual({ ...before.env, ...pick(after.env, machineOwn) });
  expect(() => process.kill(before.pid, 0)).toThrow(/ESRCH/);
});

test('rotating the password replaces the machine, and the old password ends', async () => {
  const { path, facts } = await runTenant('rotates');
  const before = (await facts()).env['DATABASE_URL'] ?? '';
  const client = new Client({ connectionString: before });
  await client.connect();
  await client.query('create table kept as select 1 as one');
  await client.end();
  const external: string[] = [];
  await ada.call(`${path}/external-db-access`, { method: 'PUT', json: { enabled: true } });
  for (const round of [1, 2]) {
    const rotated = await post<Record<'status' | 'internal_database_url' | 'external_database_url', string>>(
      `${path}/rotate-credentials`,
    );
    expect(rotated, `round ${round}`).toMatchObject({ status: 'success' });
    external.push(rotated.external_database_url);
    const { env } = await facts();
    expect(env['DATABASE_URL']).toBe(rotated.internal_database_url);
    expect(env['EXTERNAL_DATABASE_URL']).toBe(rotated.external_database_url);
    expect(await canLogIn(rotated.external_database_url)).toBe(true);
  }
  expect(await canLogIn(before)).toBe(false);
  expect(await canLogIn(external[0] ?? '')).toBe(false);
  expect(await state(path)).toBe('running');
  const fresh = new Client({ connectionString: external[1] });
  await fresh.connect();
  expect((await fresh.query('select one from kept')).rows).toEqual([{ one: 1 }]);
  await fresh.end();

  const { sync_token: token } = await post<{ sync_token: string }>(`${path}/rotate-sync-token`);
  expect((await facts()).env['SYNC_TOKEN']).toBe(token);
});

test('what is rotated reaches a machine whose deploy sent it as a secret, and an older release does not bring it back', async () => {
  const { path, facts } = await runTenant('sent');
  const rotated = ['SYNC_TOKEN', 'EXTERNAL_DATABASE_URL'] as const;
  const of = ({ env }: MachineFacts): Record<string, string | undefined> => pick(env, rotated);
  // As a project's file has them that was written when the tenant was made.
  await ada.call(`${path}/secrets`, { method: 'POST', json: { secrets: { ...of(await facts()), OWN: 'kept' } } });
  await post(`${path}/restart`);
  const { sync_token: token } = await post<{ sync_token: string }>(`${path}/rotate-sync-token`);
  const { external_database_url: url } = await post<{ external_database_url: string }>(`${path}/rotate-credentials`);
  expect((await facts()).env).toMatchObject({ SYNC_TOKEN: token, EXTERNAL_DATABASE_URL: url, OWN: 'kept' });
  await post(`${path}/restart`);
  expect(of(await facts())).toEqual({ SYNC_TOKEN: token, EXTERNAL_DATABASE_URL: url });
  await ada.call(`${path}/rollback`, { method: 'POST', json: { release: 1 } });
  expect(of(await facts())).toEqual({ SYNC_TOKEN: token, EXTERNAL_DATABASE_URL: url });
});

test('credentials that were fetched and lost before they were stored are replaced by their owner', async () => {
  const { tenantId } = await ada.buyTenant('lost');
  const path = `/api/v1/tenants/${tenantId}`;
  const link = async () => (await ada.call<{ secrets_url?: string }>(`${path}/status`)).secrets_url;
  const secretsUrl = await link();
  // The client dies with what it got.
  const lost = await ada.call<Record<'internal_database_url' | 'sync_token', string>>(secretsUrl ?? '');
  expect((await ada.fetch(secretsUrl ?? '')).status).toBe(410);
  for (const _ of [1, 2]) {
    const renewed = await post<Record<'status' | 'internal_database_url', string>>(`${path}/rotate-credentials`);
    expect(renewed.status).toBe('success');
    expect(await canLogIn(renewed.internal_database_url)).toBe(true);
  }
  expect(await canLogIn(lost.internal_database_url)).toBe(false);
  const { sync_token: token } = await post<{ sync_token: string }>(`${path}/rotate-sync-token`);
  expect(token).not.toBe(lost.sync_token);
});

test('a domain that was proved serves the tenant; one that was not does not', async () => {
  const { path, facts } = await runTenant('named');
  const { pid } = await facts();
  const domain = 'shop.example.com';
  const { dns_target: target } = await ada.call<{ dns_target: string }>(`${path}/custom-domain`, {
    method: 'POST',
    json: { domain },
  });
  expect((await getPage(`${cloud.url}/facts`, domain)).status).toBe(421);
  aliases.set(domain, [target]);
  expect(await ada.call(`${path}/custom-domain`)).toMatchObject({ status: 'active', verified: true });
  const page = await getPage(`${cloud.url}/facts`, `${domain}:80`);
  expect(JSON.parse(page.body)).toMatchObject({ pid });
  await ada.call(`${path}/custom-domain`, { method: 'DELETE' });
  expect((await getPage(`${cloud.url}/facts`, domain)).status).toBe(421);
});

test('the address of the database is shown while access from outside is on', async () => {
  const { tenantId } = await ada.buyTenant('outside');
  const path = `/api/v1/tenants/${tenantId}`;
  const set = (enabled: boolean) =>
    ada.call<{ database_url: string }>(`${path}/external-db-access`, { method: 'PUT', json: { enabled } });
  const on = await set(true);
  expect(on).toMatchObject({ tenant_id: tenantId, external_db_access: true });
  expect(await canLogIn(on.database_url)).toBe(true);
  const off = await set(false);
  expect(off).toMatchObject({ external_db_access: false });
  expect(new URL(off.database_url).password).toBe('***');
  // Not only hidden: whoever kept the address is refused.
  expect(await canLogIn(on.database_url)).toBe(false);

  await ada.call(path, { method: 'PATCH', json: { external_db_access: true } });
  expect(await canLogIn(on.database_url)).toBe(true);
  await Promise.all([set(false), set(true), set(false)].map((change) => change.catch(() => undefined)));
  const { external_db_access: last } = await ada.call<{ external_db_access: boolean }>(path);
  expect(await canLogIn(on.database_url)).toBe(last);
});

test('the end of a subscription stops the machine and keeps the data; deletion leaves nothing', async () => {
  const { tenantId, path, facts } = await runTenant('ends');
  const { pid, env } = await facts();
  await post(`${path}/subscription/cancel`);
  await expect.poll(() => state(path)).toBe('suspended');
  await expect.poll(() => isAlive(pid)).toBe(false);
  expect(await canLogIn(env['DATABASE_URL'] ?? '')).toBe(true);
  expect(await ada.call(path)).toMatchObject({ subscription_status: 'canceled', status: 'suspended' });
  // For a moment it is busy with its suspension.
  const restart = async () => await post(`${path}/restart`).catch((error: unknown) => String(error));
  await expect.poll(restart).toMatch(/409.*tenant_state_conflict/);
  // Again is no error.
  await post(`${path}/subscription/cancel`);

  await ada.call(path, { method: 'DELETE' });
  await expect(ada.call(path, { method: 'DELETE' })).rejects.toThrow(/404.*tenant_not_found/);
  expect(await canLogIn(env['DATABASE_URL'] ?? '')).toBe(false);
  expect(await readdir(join(dataDir(), 'machines'))).not.toContain(env['FLY_APP_NAME']);
  expect(await readdir(join(dataDir(), 'registry', 'repositories', 'systemprompt-images'))).not.toContain(
    `tenant-${tenantId}`,
  );
});

test('a running tenant is deleted with its machine, once for one key', async () => {
  const { tenantId, path, facts } = await runTenant('goes');
  const { pid } = await facts();
  const keyed = () =>
    ada.fetch(path, { method: 'DELETE', headers: { 'idempotency-key': 'delete-goes' } }).then(({ status }) => status);
  const both = await Promise.all([keyed(), keyed()]);
  // The second waits for its turn, and gets the first one's answer when it comes again.
  expect(both.every((status) => status === 204 || status === 409)).toBe(true);
  expect(await keyed()).toBe(204);
  expect(isAlive(pid)).toBe(false);
  const tenants = await ada.call<{ id: string }[]>('/api/v1/tenants');
  expect(tenants.map(({ id }) => id)).not.toContain(tenantId);
});

test('five deletions at once are one, and all succeed', async () => {
  const { tenantId } = await ada.buyTenant('at-once');
  const path = `/api/v1/tenants/${tenantId}`;
  const answers = await Promise.all([1, 2, 3, 4, 5].map(() => ada.fetch(path, { method: 'DELETE' })));
  // One that came when all was over finds nothing.
  expect(answers.filter(({ status }) => status !== 204 && status !== 404)).toEqual([]);
  expect(answers.some(({ status }) => status === 204)).toBe(true);
});

test('whoever follows a tenant learns that it was deleted', async () => {
  const { tenantId } = await ada.buyTenant('followed');
  const path = `/api/v1/tenants/${tenantId}`;
  const stream = await ada.fetch(`${path}/events`);
  await ada.call(path, { method: 'DELETE' });
  // The stream ends by itself.
  expect((await stream.text()).trimEnd()).toMatch(/"event_type":"tenant_deleted","status":"deleted"[^\n]*\nid: \d+$/);
});

// What differs between two starts of the same release.
const machineOwn = ['PORT'];

function pick(env: Readonly<Record<string, string>>, names: readonly string[]): Record<string, string | undefined> {
  return Object.fromEntries(names.map((name) => [name, env[name]]));
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
