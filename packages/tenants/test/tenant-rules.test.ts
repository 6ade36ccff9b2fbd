import { expect, test } from 'vitest';
import {
  hasDatabaseUrl,
  hasMissingCredentials,
  isDatabaseUrlMasked,
  isStale,
  isSyncTokenMissing,
  localDatabaseUrl,
  mergeTenantInfo,
  newCloudTenant,
  newLocalTenant,
  newSharedLocalTenant,
  type StoredTenant,
  usesSharedContainer,
} from '../src/index.ts';

const local = newLocalTenant({ name: 'mine', databaseUrl: 'postgres://u:p@localhost/mine', now: () => 0x19a });
const shared = newSharedLocalTenant({
  name: 'ours',
  databaseUrl: 'postgres://u:p@localhost/o',
  sharedContainerDb: 'o',
});
const cloud = newCloudTenant({
  id: 't_1',
  name: 'site',
  hostname: 'site.example.test',
  internalDatabaseUrl: 'postgres://u:p@inside/site',
  externalDbAccess: false,
  syncToken: 'sync',
});
const masked: StoredTenant = { ...cloud, internalDatabaseUrl: 'postgres://u:***@inside/site' };
const starred: StoredTenant = { ...cloud, internalDatabaseUrl: 'postgres://u:********@inside/site' };
const unsynced: StoredTenant = { ...cloud, syncToken: undefined };
const unknown: StoredTenant = { ...cloud, internalDatabaseUrl: undefined };

test('new tenants have the members of their type', () => {
  expect(local).toEqual({
    id: 'local_19a',
    name: 'mine',
    databaseUrl: 'postgres://u:p@localhost/mine',
    tenantType: 'local',
    externalDbAccess: false,
  });
  expect(shared).toMatchObject({ id: expect.stringMatching(/^local_[0-9a-f]+$/), sharedContainerDb: 'o' });
  expect(Object.keys(cloud)).toEqual([
    'id',
    'name',
    'hostname',
    'internalDatabaseUrl',
    'syncToken',
    'tenantType',
    'externalDbAccess',
  ]);
});

test.each([
  ['local', local, { url: true, masked: false, syncMissing: false, missing: false, shared: false }],
  ['local, shared', shared, { url: true, masked: false, syncMissing: false, missing: false, shared: true }],
  ['cloud', cloud, { url: true, masked: false, syncMissing: false, missing: false, shared: false }],
  ['cloud, masked', masked, { url: true, masked: true, syncMissing: false, missing: true, shared: false }],
  ['cloud, masked by stars', starred, { url: true, masked: true, syncMissing: false, missing: true, shared: false }],
  ['cloud, no token', unsynced, { url: true, masked: false, syncMissing: true, missing: true, shared: false }],
  ['cloud, no URL', unknown, { url: false, masked: false, syncMissing: false, missing: false, shared: false }],
])('what is known about a tenant: %s', (_, tenant, expected) => {
  expect({
    url: hasDatabaseUrl(tenant),
    masked: isDatabaseUrlMasked(tenant),
    syncMissing: isSyncTokenMissing(tenant),
    missing: hasMissingCredentials(tenant),
    shared: usesSharedContainer(tenant),
  }).toEqual(expected);
});

test('a cloud tenant needs its inner URL, a local one its own', () => {
  expect(hasDatabaseUrl({ ...cloud, databaseUrl: 'postgres://outside', internalDatabaseUrl: '' })).toBe(false);
  expect(hasDatabaseUrl({ ...local, databaseUrl: '', internalDatabaseUrl: 'postgres://inside' })).toBe(false);
});

test('from this computer, the outer URL is used before the inner one', () => {
  expect(localDatabaseUrl({ ...cloud, databaseUrl: 'postgres://outside' })).toBe('postgres://outside');
  expect(localDatabaseUrl(cloud)).toBe('postgres://u:p@inside/site');
  expect(localDatabaseUrl(unknown)).toBeUndefined();
});

test('what the server says updates a tenant and takes nothing away', () => {
  const info = { id: 't_1', name: 'renamed', externalDbAccess: true };
  for (const databaseUrl of ['postgres://u:***@inside/site', 'postgres://u:********@inside/site']) {
    expect(mergeTenantInfo(cloud, { ...info, databaseUrl })).toEqual({
      ...cloud,
      name: 'renamed',
      externalDbAccess: true,
    });
  }
  const real = 'postgres://u:new@inside/site';
  expect(mergeTenantInfo(cloud, { ...info, databaseUrl: real }).internalDatabaseUrl).toBe(real);
  expect(mergeTenantInfo(unknown, { ...info, databaseUrl: 'postgres://u:***@x' }).internalDatabaseUrl).toContain('***');
});

test('a store is stale after its time, not at it', () => {
  const store = { tenants: [], syncedAt: new Date(1000) };
  expect(isStale(store, 500, { now: () => 1500 })).toBe(false);
  expect(isStale(store, 500, { now: () => 1501 })).toBe(true);
  expect(isStale({ ...store, syncedAt: new Date() }, 60_000)).toBe(false);
});
