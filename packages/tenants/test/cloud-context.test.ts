import { join } from 'node:path';
import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import { createCloudContext, newCloudTenant, newLocalTenant, type Profile, saveTenants } from '../src/index.ts';
import { temporaryFolder } from './temporary-folder.ts';

const credentials = { apiToken: 'token', apiUrl: 'http://127.0.0.1:9', userEmail: 'ada@example.test' };
const cloud = newCloudTenant({
  id: 't_1',
  name: 'site',
  appId: 'sp-t-1',
  hostname: 'site.example.test',
  internalDatabaseUrl: 'postgres://u:planted@inside/site',
  externalDbAccess: false,
});
const local = newLocalTenant({ id: 'local_1', name: 'mine', databaseUrl: 'postgres://u:planted@localhost/mine' });

async function tenantsFile(): Promise<string> {
  const path = join(await temporaryFolder(), '.systemprompt', 'tenants.json');
  await saveTenants(path, { tenants: [cloud, local], syncedAt: new Date() });
  return path;
}

function profileOf(tenantId: string | undefined): Profile {
  return { path: '/p/profile.yaml', cloud: { tenantId, validation: 'strict' } } as Profile;
}

test('a context knows the login, the client and the tenant, without its secrets', async () => {
  const context = await createCloudContext({
    credentials,
    profile: profileOf('t_1'),
    tenantsPath: await tenantsFile(),
  });
  expect(context.tenant).toEqual({
    id: 't_1',
    name: 'site',
    appId: 'sp-t-1',
    hostname: 'site.example.test',
    region: undefined,
  });
  expect([context.tenantId(), context.appId()]).toEqual(['t_1', 'sp-t-1']);
  expect(context.credentials.userEmail).toBe('ada@example.test');
  expect(inspect(context, { depth: 9 })).not.toContain('planted');
  const stopped = context.api.tenants.list({ signal: AbortSignal.abort() });
  await expect(stopped).rejects.toMatchObject({ code: 'SP_API_ABORTED' });
});

test('a client can be given', async () => {
  const { api } = await createCloudContext({ credentials, tenantsPath: '/nowhere' });
  expect((await createCloudContext({ credentials, api, tenantsPath: '/nowhere' })).api).toBe(api);
});

test('without a tenant, only asking for it fails', async () => {
  const tenantsPath = await tenantsFile();
  for (const options of [
    { credentials, tenantsPath },
    { credentials, tenantsPath, profile: profileOf(undefined) },
    { credentials, tenantsPath: join(tenantsPath, '..', 'none.json'), profile: profileOf('t_1') },
  ]) {
    const context = await createCloudContext(options);
    expect(context.tenant).toBeUndefined();
    for (const ask of [context.tenantId, context.appId]) {
      expect(ask).toThrow(expect.objectContaining({ code: 'SP_PROFILE_INVALID' }));
    }
  }
});

test('a tenant that the store does not know, and one without an app', async () => {
  const tenantsPath = await tenantsFile();
  // By its id only: the name of another tenant would be the wrong one.
  for (const id of ['t_2', 'site']) {
    await expect(createCloudContext({ credentials, tenantsPath, profile: profileOf(id) })).rejects.toMatchObject({
      code: 'SP_TENANTS_NOT_FOUND',
      path: tenantsPath,
    });
  }
  const context = await createCloudContext({ credentials, tenantsPath, profile: profileOf('local_1') });
  expect(context.tenantId()).toBe('local_1');
  expect(() => context.appId()).toThrow(expect.objectContaining({ code: 'SP_TENANTS_INVALID' }));
});
