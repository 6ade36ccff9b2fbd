import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { loadTenants } from '@sp/tenants';
import { expect, test } from 'vitest';
import DomainRemove from '../src/commands/cloud/domain/remove.ts';
import DomainSet from '../src/commands/cloud/domain/set.ts';
import DomainStatus from '../src/commands/cloud/domain/status.ts';
import Open from '../src/commands/cloud/open.ts';
import Releases from '../src/commands/cloud/releases.ts';
import Restart from '../src/commands/cloud/restart.ts';
import Rollback from '../src/commands/cloud/rollback.ts';
import Billing from '../src/commands/cloud/tenant/billing.ts';
import Cancel from '../src/commands/cloud/tenant/cancel.ts';
import Delete from '../src/commands/cloud/tenant/delete.ts';
import Edit from '../src/commands/cloud/tenant/edit.ts';
import Retry from '../src/commands/cloud/tenant/retry.ts';
import RotateCredentials from '../src/commands/cloud/tenant/rotate-credentials.ts';
import RotateSyncToken from '../src/commands/cloud/tenant/rotate-sync-token.ts';
import Select from '../src/commands/cloud/tenant/select.ts';
import { Refusal } from './support/fake-api.ts';
import { runCommand } from './support/run-command.ts';
import { hello, makeProfile, makeWorld, planted, second } from './support/world.ts';

const path = `/api/v1/tenants/${hello.id}`;
const errorOf = (stdout: string): unknown => (JSON.parse(stdout) as { error: unknown }).error;

test('restart needs --yes without a terminal, and names its target', async () => {
  const world = await makeWorld({ [`POST ${path}/restart`]: { status: 'running' } });
  const asked = await runCommand(Restart, ['--json'], world);
  expect(asked.exitCode).toBe(3);
  expect(errorOf(asked.stdout)).toMatchObject({ next: [`systemprompt cloud restart --tenant ${hello.id} --yes`] });
  expect(world.api.requests.some(({ what }) => what.startsWith('POST'))).toBe(false);
  const done = await runCommand(Restart, ['--yes'], world);
  expect(done).toMatchObject({ exitCode: 0, stdout: 'hello is running\n' });
  expect(done.stderr).toContain(`Restarting hello (${hello.id}, hello-abcd.localhost:7300)`);
});

test('a restart that the API could not carry out is a failure', async () => {
  const world = await makeWorld({ [`POST ${path}/restart`]: { status: 'failed', message: 'no memory' } });
  const { stdout, exitCode } = await runCommand(Restart, ['--yes', '--json'], world);
  expect(exitCode).toBe(1);
  expect(errorOf(stdout)).toMatchObject({
    code: 'SP_CLI_OPERATION_FAILED',
    message: expect.stringContaining('no memory'),
  });
});

test('select decides between several tenants, until it is gone', async () => {
  const world = await makeWorld({ [`GET ${path}/status`]: { data: { status: 'running', app_url: 'http://x' } } }, [
    hello,
    second,
  ]);
  expect((await runCommand(Open, ['--json'], world)).exitCode).toBe(3);
  expect((await runCommand(Select, ['hello'], world)).exitCode).toBe(0);
  expect(JSON.parse((await runCommand(Open, ['--json'], world)).stdout)).toMatchObject({ url: 'http://x' });
  expect((await runCommand(Select, ['nobody', '--json'], world)).exitCode).toBe(5);
});

test('billing answers the link to the payment page and opens it, unless told not to', async () => {
  const url = 'https://payments.example/portal?token=once';
  const world = await makeWorld({ [`POST ${path}/subscription/portal-link`]: { data: { url } } });
  const opened = join(world.cwd, 'opened');
  const browser = join(world.cwd, 'browser');
  await writeFile(browser, `#!/bin/sh\nprintf %s "$1" > "${opened}"\n`, { mode: 0o755 });
  const inBrowser = { ...world, env: { ...world.env, BROWSER: browser } };
  const json = await runCommand(Billing, ['hello', '--json'], inBrowser);
  expect(JSON.parse(json.stdout)).toEqual({ tenant_id: hello.id, tenant_name: 'hello', url });
  expect(await runCommand(Billing, ['hello', '--no-open'], inBrowser)).toMatchObject({
    exitCode: 0,
    stdout: `${url}\n`,
  });
  expect(existsSync(opened)).toBe(false);
  expect((await runCommand(Billing, [], inBrowser)).exitCode).toBe(0);
  await expect.poll(() => readFile(opened, 'utf8').catch(() => '')).toBe(url);

  const free = await makeWorld({ [`POST ${path}/subscription/portal-link`]: new Refusal(409, 'no_subscription') });
  const refused = await runCommand(Billing, ['hello', '--json'], free);
  expect(errorOf(refused.stdout)).toMatchObject({ code: 'SP_API_CONFLICT', server_code: 'no_subscription' });
  expect(refused.exitCode).toBe(6);
});

test('open says what has no page yet: exit code 8', async () => {
  const world = await makeWorld({ [`GET ${path}/status`]: { data: { status: 'awaiting_deploy' } } });
  const { stdout, exitCode } = await runCommand(Open, ['--json'], world);
  expect(exitCode).toBe(8);
  expect(errorOf(stdout)).toMatchObject({ code: 'SP_CLI_NO_PAGE' });
});

test('edit sends what was given; nothing given is 3', async () => {
  const world = await makeWorld({ [`PATCH ${path}`]: { data: { ...hello, name: 'renamed' } } });
  const { stdout } = await runCommand(Edit, ['hello', '--name', 'renamed', '--memory', '512', '--json'], world);
  expect(JSON.parse(stdout)).toEqual({ tenant_id: hello.id, tenant_name: 'renamed', changed: ['name', 'memoryMb'] });
  expect(world.api.bodies).toEqual([{ name: 'renamed', memory_mb: 512 }]);
  const told = await runCommand(Edit, ['hello', '--name', 'renamed', '--memory', '512'], world);
  expect(told.stdout).toBe('Changed the name, the memory of renamed\n');
  expect((await runCommand(Edit, ['hello'], world)).exitCode).toBe(3);
  expect((await runCommand(Edit, ['hello', '--memory', '1'], world)).exitCode).toBe(2);
});

test('edit refuses what the API would, by the names of the flags, and sends nothing', async () => {
  const plan = { id: 'starter', name: 'Starter', memory_mb: 512, volume_gb: 1 };
  const world = await makeWorld({}, [{ ...hello, plan }]);
  for (const [flag, value] of [
    ['--name', 'Bad_Name'],
    ['--memory', '1024'],
    ['--memory', '99999999'],
  ] as const) {
    const { stdout, exitCode } = await runCommand(Edit, ['hello', flag, value, '--json'], world);
    expect(exitCode, stdout).toBe(2);
    expect(errorOf(stdout)).toMatchObject({ code: 'SP_CLI_USAGE', message: expect.stringContaining(flag) });
  }
  expect(world.api.requests.every(({ what }) => what.startsWith('GET'))).toBe(true);
});

test('retry of a tenant that is made asks nothing of the API', async () => {
  const world = await makeWorld({}, [{ ...hello, state: 'running' }]);
  expect(await runCommand(Retry, ['hello'], world)).toMatchObject({
    exitCode: 0,
    stdout: 'hello is made already; it is running\n',
  });
});

test('delete and cancel want the name: 3 without, 2 with a wrong one', async () => {
  const world = await makeWorld({ [`DELETE ${path}`]: {}, [`POST ${path}/subscription/cancel`]: {} });
  for (const [Command, verb] of [
    [Delete, 'delete'],
    [Cancel, 'cancel'],
  ] as const) {
    const asked = await runCommand(Command, ['hello', '--json'], world);
    expect(asked.exitCode).toBe(3);
    const next = [`systemprompt cloud tenant ${verb} ${hello.id} --confirm hello`];
    expect(errorOf(asked.stdout)).toMatchObject({ flags: ['--confirm'], next });
    const wrong = await runCommand(Command, ['hello', '--confirm', 'helo', '--json'], world);
    expect(wrong.exitCode).toBe(2);
    expect(errorOf(wrong.stdout)).toMatchObject({ code: 'SP_CLI_NOT_CONFIRMED' });
  }
  expect(world.api.requests.every(({ what }) => what.startsWith('GET'))).toBe(true);
  expect((await runCommand(Cancel, ['hello', '--confirm', 'hello'], world)).exitCode).toBe(0);
  const gone = await runCommand(Delete, ['hello', '--confirm', 'hello', '--json'], world);
  expect(JSON.parse(gone.stdout)).toMatchObject({ tenant_name: 'hello', deleted: true, profiles: [] });
  expect((await loadTenants(join(world.cwd, '.systemprompt/tenants.json')))?.tenants).toEqual([]);
});

test('rotating writes the new credentials wherever the old ones were, and prints none', async () => {
  const url = `postgresql://u:${planted}@db/hello`;
  const world = await makeWorld({
    [`POST ${path}/rotate-credentials`]: {
      status: 'success',
      message: '',
      internal_database_url: url,
      external_database_url: url,
    },
    [`POST ${path}/rotate-sync-token`]: { data: { sync_token: `sync-${planted}` } },
  });
  await makeProfile(world.cwd, 'hello');
  expect((await runCommand(RotateCredentials, ['hello'], world)).exitCode).toBe(3);
  const rotated = await runCommand(RotateCredentials, ['hello', '--yes', '--json'], world);
  expect(rotated.exitCode, rotated.stdout).toBe(0);
  const token = await runCommand(RotateSyncToken, ['hello', '--yes', '--json'], world);
  expect(token.exitCode, token.stdout).toBe(0);
  expect(rotated.stdout + rotated.stderr + token.stdout + token.stderr).not.toContain(planted);
  const secretsPath = join(world.cwd, '.systemprompt/profiles/hello/secrets.json');
  expect(JSON.parse(await readFile(secretsPath, 'utf8'))).toMatchObject({
    database_url: url,
    internal_database_url: url,
    sync_token: `sync-${planted}`,
    jwt_secret: expect.any(String),
  });
  expect((await loadTenants(join(world.cwd, '.systemprompt/tenants.json')))?.tenants).toMatchObject([
    { id: hello.id, databaseUrl: url, internalDatabaseUrl: url, syncToken: `sync-${planted}` },
  ]);
});

test('a rotation that failed after the new password worked keeps the new one all the same', async () => {
  const url = `postgresql://u:${planted}@db/hello`;
  const message = 'The new password works, and the old one still does: the machine did not start';
  const urls = { internal_database_url: url, external_database_url: url };
  const world = await makeWorld({ [`POST ${path}/rotate-credentials`]: { status: 'failed', message, ...urls } });
  await makeProfile(world.cwd, 'hello');
  const rotated = await runCommand(RotateCredentials, ['hello', '--yes', '--json'], world);
  expect(rotated.exitCode, rotated.stdout).not.toBe(0);
  expect(errorOf(rotated.stdout)).toMatchObject({
    code: 'SP_CLI_OPERATION_FAILED',
    message: expect.stringContaining(message) as string,
  });
  const secretsPath = join(world.cwd, '.systemprompt/profiles/hello/secrets.json');
  expect(rotated.stderr).toContain(secretsPath);
  expect(rotated.stdout + rotated.stderr).not.toContain(planted);
  expect(JSON.parse(await readFile(secretsPath, 'utf8'))).toMatchObject({
    database_url: url,
    internal_database_url: url,
  });
  expect((await loadTenants(join(world.cwd, '.systemprompt/tenants.json')))?.tenants).toMatchObject([
    { id: hello.id, databaseUrl: url, internalDatabaseUrl: url },
  ]);
});

test('a rotation that failed and brings no address changes no file', async () => {
  const urls = { internal_database_url: '', external_database_url: '' };
  const world = await makeWorld({ [`POST ${path}/rotate-credentials`]: { status: 'failed', message: 'no', ...urls } });
  await makeProfile(world.cwd, 'hello');
  const secretsPath = join(world.cwd, '.systemprompt/profiles/hello/secrets.json');
  const before = await readFile(secretsPath, 'utf8');
  const rotated = await runCommand(RotateCredentials, ['hello', '--yes', '--json'], world);
  expect(errorOf(rotated.stdout)).toMatchObject({ code: 'SP_CLI_OPERATION_FAILED' });
  expect(await readFile(secretsPath, 'utf8')).toBe(before);
});

test('retry goes on', async () => {
  const world = await makeWorld({ [`POST ${path}/retry-provision`]: { status: 'provisioning' } });
  expect((await runCommand(Retry, ['hello'], world)).stdout).toBe('hello is provisioning\n');
});

test('a domain is set, shown with its record, and removed; none is no error', async () => {
  const domain = {
    domain: 'app.example.com',
    status: 'pending',
    verified: false,
    dns_target: 'hello.example',
    dns_instructions: { record_type: 'CNAME', host: 'app.example.com', value: 'hello.example', ttl: 300 },
  };
  const none = await makeWorld();
  expect(JSON.parse((await runCommand(DomainStatus, ['--json'], none)).stdout)).toMatchObject({ configured: false });
  expect(JSON.parse((await runCommand(DomainRemove, ['--json'], none)).stdout)).toMatchObject({ removed: false });
  expect((await runCommand(DomainSet, ['not a domain'], none)).exitCode).toBe(2);
  const at = `${path}/custom-domain`;
  const world = await makeWorld({
    [`GET ${at}`]: { data: domain },
    [`POST ${at}`]: { data: domain },
    [`DELETE ${at}`]: {},
  });
  const shown = await runCommand(DomainSet, ['app.example.com'], world);
  expect(shown.stdout, shown.stderr).toContain('app.example.com 300 IN CNAME hello.example');
  expect((await runCommand(DomainRemove, [], world)).exitCode).toBe(3);
  const removed = await runCommand(DomainRemove, ['--yes', '--json'], world);
  expect(JSON.parse(removed.stdout)).toMatchObject({ removed: true, domain: 'app.example.com' });
});

test('releases are listed, and a rollback needs --yes', async () => {
  const release = {
    id: 'r1',
    number: 1,
    image: 'registry/x:y',
    digest: `sha256:${'a'.repeat(64)}`,
    status: 'running',
    created_at: '2026-01-01T00:00:00Z',
    secrets_version: 1,
  };
  const world = await makeWorld({ [`GET ${path}/releases`]: { data: [release] } });
  const { stdout } = await runCommand(Releases, ['--json'], world);
  expect(JSON.parse(stdout)).toMatchObject({ tenant_name: 'hello', releases: [{ number: 1, status: 'running' }] });
  const asked = await runCommand(Rollback, ['--release', '1', '--json'], world);
  expect(asked.exitCode).toBe(3);
  expect(errorOf(asked.stdout)).toMatchObject({
    next: [`systemprompt cloud rollback --release 1 --tenant ${hello.id} --yes`],
  });
  expect((await runCommand(Rollback, ['--yes', '--json'], world)).exitCode).toBe(5);
});
