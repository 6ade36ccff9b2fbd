import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { loadTenants } from '@sp/tenants';
import { expect, test } from 'vitest';
import Whoami from '../src/commands/cloud/auth/whoami.ts';
import Status from '../src/commands/cloud/status.ts';
import TenantList from '../src/commands/cloud/tenant/list.ts';
import TenantShow from '../src/commands/cloud/tenant/show.ts';
import { startFakeApi } from './support/fake-api.ts';
import { runCommand } from './support/run-command.ts';
import { temporaryFolder } from './support/temporary-folder.ts';

const id = '0b1c6f4e-6d60-4d3c-9a53-0f7c0f5b7d11';
const hello = {
  id,
  name: 'hello',
  app_id: 'sp-hello',
  hostname: 'hello-abcd.localhost:7300',
  region: 'iad',
  status: 'active',
  external_db_access: false,
  database_url: 'postgresql://hello:***@db/hello',
};
const me = { id: 'u1', email: 'ada@example.com' };
const answers = {
  'GET /api/v1/auth/me': { user: me, tenants: [hello] },
  [`GET /api/v1/tenants/${id}/status`]: { data: { status: 'running', app_url: 'http://hello-abcd.localhost:7300' } },
};
const token = 'opaque-token-of-the-environment';
const envFor = (url: string): Record<string, string> => ({ SYSTEMPROMPT_API_TOKEN: token, SYSTEMPROMPT_API_URL: url });

async function project(): Promise<string> {
  const cwd = await temporaryFolder();
  await mkdir(join(cwd, '.systemprompt'));
  await mkdir(join(cwd, 'services'));
  return cwd;
}

test('a folder that is no project does not become one by being asked from', async () => {
  const api = await startFakeApi(answers);
  const cwd = await temporaryFolder();
  const { stdout } = await runCommand(TenantList, ['--json'], { cwd, env: envFor(api.url) });
  expect(JSON.parse(stdout)).toMatchObject({ tenants: [{ id, name: 'hello', status: 'active' }], stale: false });
  expect(await readdir(cwd)).toEqual([]);
});

test('whoami asks the API with the token of the environment, and never prints it', async () => {
  const api = await startFakeApi(answers);
  const { stdout, stderr, exitCode } = await runCommand(Whoami, ['--json'], {
    cwd: await project(),
    env: envFor(api.url),
  });
  expect(exitCode).toBe(0);
  expect(JSON.parse(stdout)).toEqual({
    user: { id: 'u1', email: 'ada@example.com' },
    api_url: api.url,
    source: 'environment',
    token: { status: 'unknown' },
    tenants: 1,
  });
  expect(api.requests).toEqual([{ what: 'GET /api/v1/auth/me', authorization: `Bearer ${token}` }]);
  expect(stdout + stderr).not.toContain(token);
});

test('nobody logged in: exit code 4, in text and in JSON', async () => {
  const cwd = await project();
  const text = await runCommand(Whoami, [], { cwd });
  expect(text).toMatchObject({ stdout: '', exitCode: 4 });
  expect(text.stderr).toContain('systemprompt cloud auth login');
  const json = await runCommand(Whoami, ['--json'], { cwd });
  expect(json).toMatchObject({ stderr: '', exitCode: 4 });
  expect(JSON.parse(json.stdout)).toMatchObject({ error: { code: 'SP_CLI_NOT_LOGGED_IN', directory: cwd } });
});

test('what is known already is not written again, and every change is', async () => {
  const other = { ...hello, name: 'renamed' };
  const api = await startFakeApi(answers);
  const changed = await startFakeApi({ ...answers, 'GET /api/v1/auth/me': { user: me, tenants: [other] } });
  const cwd = await project();
  const path = join(cwd, '.systemprompt/tenants.json');
  const list = async (url: string): Promise<{ name: string | undefined; syncedAt: Date | undefined }> => {
    expect((await runCommand(TenantList, [], { cwd, env: envFor(url) })).exitCode).toBe(0);
    const store = await loadTenants(path);
    return { name: store?.tenants[0]?.name, syncedAt: store?.syncedAt };
  };
  await list(api.url);
  const inode = (await stat(path)).ino;
  await list(api.url);
  expect((await stat(path)).ino).toBe(inode);
  expect(await list(changed.url)).toMatchObject({ name: 'renamed' });
  // So that it can be told how old it is.
  const old = (await readFile(path, 'utf8')).replace(/"synced_at": "[^"]+"/, '"synced_at": "2026-01-01T00:00:00Z"');
  await writeFile(path, old);
  expect((await list(changed.url)).syncedAt?.getTime()).toBeGreaterThan(Date.parse('2026-01-01T00:00:00Z'));
});

test('tenant list brings the store up to date, and answers from it when the API is out of reach', async () => {
  const api = await startFakeApi(answers);
  const cwd = await project();
  const online = await runCommand(TenantList, ['--json'], { cwd, env: envFor(api.url) });
  expect(JSON.parse(online.stdout)).toMatchObject({ total: 1, tenants: [{ id, name: 'hello', status: 'active' }] });
  expect((await loadTenants(join(cwd, '.systemprompt/tenants.json')))?.tenants).toHaveLength(1);

  const offline = await runCommand(TenantList, ['--json'], { cwd, env: envFor('http://127.0.0.1:1') });
  expect(offline.exitCode).toBe(0);
  expect(offline.stderr).toContain('showing what was known last');
  const { tenants } = JSON.parse(offline.stdout) as { tenants: object[] };
  expect(tenants).toEqual([
    {
      id,
      name: 'hello',
      tenant_type: 'cloud',
      region: 'iad',
      hostname: 'hello-abcd.localhost:7300',
      has_database: true,
    },
  ]);
});

test('tenant show takes an id, a name, or the only one there is', async () => {
  const api = await startFakeApi(answers);
  const world = { cwd: await project(), env: envFor(api.url) };
  for (const argv of [[id], ['hello'], []]) {
    const { stdout } = await runCommand(TenantShow, [...argv, '--json'], world);
    expect(JSON.parse(stdout)).toMatchObject({ id, status: 'running', url: 'http://hello-abcd.localhost:7300' });
    expect(stdout).not.toContain('postgresql://');
  }
  const unknown = await runCommand(TenantShow, ['bye', '--json'], world);
  expect(unknown.exitCode).toBe(5);
  expect(JSON.parse(unknown.stdout)).toMatchObject({
    error: { code: 'SP_CLI_TENANT_NOT_FOUND', available: ['hello'] },
  });
});

test('several tenants and nobody to ask: exit code 3 with one command line for each', async () => {
  const second = { ...hello, id: '7a0c1f52-2e55-4c0e-8a56-1d8d2b1c9e22', name: 'second' };
  const user = { id: 'u1', email: 'ada@example.com' };
  const api = await startFakeApi({ 'GET /api/v1/auth/me': { user, tenants: [hello, second] } });
  const { stdout, exitCode } = await runCommand(TenantShow, ['--json'], { cwd: await project(), env: envFor(api.url) });
  expect(exitCode).toBe(3);
  expect(JSON.parse(stdout)).toMatchObject({
    error: {
      code: 'SP_CLI_INPUT_NEEDED',
      next: [`systemprompt cloud tenant show ${id}`, `systemprompt cloud tenant show ${second.id}`],
    },
  });
});

test('status shows who, which profiles, and every tenant', async () => {
  const api = await startFakeApi(answers);
  const cwd = await project();
  await mkdir(join(cwd, '.systemprompt/profiles/broken'), { recursive: true });
  await writeFile(join(cwd, '.systemprompt/profiles/broken/profile.yaml'), 'name: broken\n');
  const { stdout, exitCode } = await runCommand(Status, ['--json'], { cwd, env: envFor(api.url) });
  expect(exitCode).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({
    project: cwd,
    profiles: [{ name: 'broken', problem: expect.any(String) }],
    credentials: { api_url: api.url },
    tenants: [{ id, name: 'hello', status: 'running', url: 'http://hello-abcd.localhost:7300', profiles: [] }],
  });
});

test('outside of a project: exit code 5, naming the folder', async () => {
  const cwd = await temporaryFolder();
  const { stdout, exitCode } = await runCommand(Status, ['--json'], { cwd });
  expect(exitCode).toBe(5);
  expect(JSON.parse(stdout)).toMatchObject({ error: { code: 'SP_CLI_NO_PROJECT', directory: cwd } });
});

test('what was known last says so, and when it was', async () => {
  const api = await startFakeApi(answers);
  const cwd = await project();
  const fresh = await runCommand(TenantList, ['--json'], { cwd, env: envFor(api.url) });
  expect(JSON.parse(fresh.stdout)).toMatchObject({ stale: false, total: 1, synced_at: expect.any(String) });
  const known = (await loadTenants(join(cwd, '.systemprompt/tenants.json')))?.syncedAt.toISOString();
  for (const [argv, url] of [
    [['--json'], 'http://127.0.0.1:1'],
    [['--cached', '--json'], api.url],
  ] as const) {
    const old = await runCommand(TenantList, argv, { cwd, env: envFor(url) });
    expect(JSON.parse(old.stdout)).toMatchObject({ stale: true, total: 1, synced_at: known });
  }
});

test("the environment's token for another API shows none of the project's tenants, and leaves them as they are", async () => {
  const cwd = await project();
  const api = await startFakeApi(answers);
  await runCommand(TenantList, ['--json'], { cwd, env: envFor(api.url) });
  const own = { api_token: 't', api_url: api.url, authenticated_at: '2026-01-01T00:00:00Z', user_email: me.email };
  await writeFile(join(cwd, '.systemprompt/credentials.json'), JSON.stringify(own), { mode: 0o600 });
  const path = join(cwd, '.systemprompt/tenants.json');
  const before = await readFile(path, 'utf8');
  const other = { ...hello, id: '7a0c1f52-2e55-4c0e-8a56-1d8d2b1c9e22', name: 'elsewhere' };
  const elsewhere = await startFakeApi({ 'GET /api/v1/auth/me': { user: me, tenants: [other] } });
  const listed = await runCommand(TenantList, ['--json'], { cwd, env: envFor(elsewhere.url) });
  expect(JSON.parse(listed.stdout)).toMatchObject({ total: 1, tenants: [{ name: 'elsewhere' }] });
  const offline = await runCommand(TenantList, ['--json'], { cwd, env: envFor('http://127.0.0.1:1') });
  expect(offline.exitCode, offline.stdout).toBe(12);
  expect(await readFile(path, 'utf8')).toBe(before);
});
