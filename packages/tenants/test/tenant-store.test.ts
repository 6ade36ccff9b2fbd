import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { inspect } from 'node:util';
import type { TenantInfo } from '@sp/cloud-api';
import { expect, test } from 'vitest';
import {
  deleteTenant,
  findTenant,
  loadTenants,
  mergeTenantInfos,
  resolveTenant,
  type StoredTenant,
  saveTenants,
  storedTenantFromInfo,
  upsertTenant,
  withCredentials,
} from '../src/index.ts';
import { temporaryFolder } from './temporary-folder.ts';

const now = (): number => Date.parse('2026-11-21T10:00:00.000Z');

const info: TenantInfo = {
  id: 't_1',
  name: 'site',
  appId: 'sp-t-1',
  hostname: 'site.example.test',
  region: 'iad',
  externalDbAccess: true,
  databaseUrl: 'postgres://u:***@db/site',
};

const local: StoredTenant = {
  id: 'local_1f',
  name: 'mine',
  databaseUrl: 'postgres://u:p@localhost/mine',
  tenantType: 'local',
  externalDbAccess: false,
  sharedContainerDb: 'mine_1f',
};

async function storePath(text?: string): Promise<string> {
  const path = join(await temporaryFolder(), '.systemprompt', 'tenants.json');
  if (text !== undefined) {
    await mkdir(dirname(path));
    await writeFile(path, text, { mode: 0o600 });
  }
  return path;
}

test('no file is no store', async () => {
  const path = await storePath();
  expect(await loadTenants(path)).toBeUndefined();
  await expect(resolveTenant(path, 't_1')).rejects.toMatchObject({ code: 'SP_TENANTS_NOT_SYNCED', path });
});

test("the file has the predecessor's members in its order, private and without a last newline", async () => {
  const path = await storePath();
  await upsertTenant(path, { ...local, syncToken: 's', region: 'iad', hostname: 'h', appId: 'a' }, { now });
  expect(await readFile(path, 'utf8')).toBe(`{
  "tenants": [
    {
      "id": "local_1f",
      "name": "mine",
      "app_id": "a",
      "hostname": "h",
      "region": "iad",
      "database_url": "postgres://u:p@localhost/mine",
      "tenant_type": "local",
      "external_db_access": false,
      "sync_token": "s",
      "shared_container_db": "mine_1f"
    }
  ],
  "synced_at": "2026-11-21T10:00:00.000Z"
}`);
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect(await loadTenants(path)).toEqual({
    tenants: [{ ...local, syncToken: 's', region: 'iad', hostname: 'h', appId: 'a' }],
    syncedAt: new Date(now()),
  });
});

test('what a newer version wrote survives every write', async () => {
  const path = await storePath(
    JSON.stringify({
      schema: 9,
      tenants: [{ id: 't_1', name: 'site', colour: 'blue', app_id: null, tenant_type: 'cloud' }],
      synced_at: '2026-01-01T00:00:00.123456789+02:00',
    }),
  );
  await upsertTenant(path, { ...local }, { now });
  await mergeTenantInfos(path, [info], { now });
  const store = await loadTenants(path);
  if (store === undefined) throw new Error('no store');
  await saveTenants(path, store);
  expect(JSON.parse(await readFile(path, 'utf8'))).toMatchObject({
    schema: 9,
    tenants: [{ id: 't_1', colour: 'blue', app_id: 'sp-t-1' }, { id: 'local_1f' }],
  });
});

test('a merge adds and updates, removes nothing, and keeps what only this computer knows', async () => {
  const path = await storePath();
  const real = 'postgres://u:real@db.internal/site';
  await upsertTenant(path, { ...storedTenantFromInfo(info), internalDatabaseUrl: real, syncToken: 'sync' }, { now });
  await upsertTenant(path, local, { now });
  for (const mask of ['***', '********']) {
    const masked = { ...info, name: 'renamed', databaseUrl: `postgres://u:${mask}@db/site` };
    const { hostname: _, region: __, appId: ___, ...withoutOptional } = masked;
    const store = await mergeTenantInfos(path, [withoutOptional, { ...info, id: 't_2', name: 'second' }], { now });
    expect(store.tenants).toMatchObject([
      { id: 't_1', name: 'renamed', hostname: 'site.example.test', region: 'iad', appId: 'sp-t-1', syncToken: 'sync' },
      local,
      { id: 't_2', internalDatabaseUrl: info.databaseUrl, tenantType: 'cloud' },
    ]);
    expect(store.tenants[0]?.internalDatabaseUrl).toBe(real);
  }
  const store = await mergeTenantInfos(path, [{ ...info, databaseUrl: 'postgres://u:new@db/site' }], { now });
  expect(store.tenants[0]?.internalDatabaseUrl).toBe('postgres://u:new@db/site');
  expect(await loadTenants(path)).toEqual(store);
});

test('upserts at the same time lose nothing', async () => {
  const path = await storePath();
  const ids = Array.from({ length: 8 }, (_, index) => `t_${index}`);
  await Promise.all(ids.map((id) => upsertTenant(path, { ...local, id }, { now })));
  const store = await loadTenants(path);
  expect(store?.tenants.map(({ id }) => id).toSorted()).toEqual(ids);
});

test('credentials: the internal URL is the internal one', () => {
  const tenant = withCredentials(storedTenantFromInfo(info), {
    jwtSecret: 'j',
    databaseUrl: 'postgres://u:p@outside/site',
    internalDatabaseUrl: 'postgres://u:p@inside/site',
    appUrl: 'https://site.example.test',
    syncToken: 'sync',
  });
  expect(tenant).toMatchObject({
    databaseUrl: 'postgres://u:p@outside/site',
    internalDatabaseUrl: 'postgres://u:p@inside/site',
    syncToken: 'sync',
  });
});

test('a file that cannot be read is an error without its text, and stays', async () => {
  for (const text of ['{"tenants": [{"id": "planted-secret"', '{"tenants":[{"id":1,"sync_token":"planted-secret"}]}']) {
    const path = await storePath(text);
    const calls = [() => loadTenants(path), () => upsertTenant(path, local), () => mergeTenantInfos(path, [info])];
    for (const call of calls) {
      const error: unknown = await call().catch((reason: unknown) => reason);
      expect(error).toMatchObject({ code: 'SP_TENANTS_CORRUPTED', path });
      expect(inspect(error, { depth: 9 })).not.toContain('planted-secret');
    }
    expect(await readFile(path, 'utf8')).toBe(text);
    await saveTenants(path, { tenants: [local], syncedAt: new Date(now()) });
    expect((await loadTenants(path))?.tenants).toEqual([local]);
  }
});

test('tenants without id or name are refused at load and save', async () => {
  const broken = JSON.stringify({ tenants: [{ id: '', name: '' }], synced_at: '2026-01-01T00:00:00Z' });
  await expect(loadTenants(await storePath(broken))).rejects.toMatchObject({
    code: 'SP_TENANTS_INVALID',
    findings: [{ member: 'tenants.0.id' }, { member: 'tenants.0.name' }],
  });
  await expect(upsertTenant(await storePath(), { ...local, name: '' })).rejects.toMatchObject({
    code: 'SP_TENANTS_INVALID',
  });
});

test('a tenant is found by id, then by name, and a name that several have is refused', async () => {
  const path = await storePath();
  const store = {
    tenants: [local, { ...local, id: 'two' }, { ...local, id: 'three', name: 'two' }],
    syncedAt: new Date(),
  };
  await saveTenants(path, store);
  expect(findTenant(store, 'two')?.id).toBe('two');
  expect(findTenant(store, 'none')).toBeUndefined();
  expect(() => findTenant(store, 'mine')).toThrow(
    expect.objectContaining({ code: 'SP_TENANTS_AMBIGUOUS', matches: ['local_1f', 'two'] }),
  );
  await expect(resolveTenant(path, 'none')).rejects.toMatchObject({ code: 'SP_TENANTS_NOT_FOUND' });
  expect((await resolveTenant(path, 'three')).id).toBe('three');
});

test('a tenant is taken out while others are put in, and once is enough', async () => {
  const path = await storePath();
  expect(await deleteTenant(path, 'local_1f')).toBeUndefined();
  await expect(stat(path)).rejects.toMatchObject({ code: 'ENOENT' });
  await upsertTenant(path, local, { now });
  const others = ['a', 'b', 'c', 'd'].map((id) => ({ ...local, id }));
  await Promise.all([...others.map((other) => upsertTenant(path, other)), deleteTenant(path, local.id)]);
  const store = await deleteTenant(path, local.id);
  expect(store?.tenants.map(({ id }) => id).sort()).toEqual(['a', 'b', 'c', 'd']);
  expect(store?.syncedAt).toEqual(new Date(now()));
  expect(await loadTenants(path)).toEqual(store);
});
