import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CloudApiError } from '@sp/cloud-api';
import { discoverProjectContext } from '@sp/paths';
import { expect, test } from 'vitest';
import Deploy from '../src/commands/cloud/deploy.ts';
import Dockerfile from '../src/commands/cloud/dockerfile.ts';
import Create from '../src/commands/cloud/tenant/create.ts';
import { deleteCheckout, findCheckout, saveCheckoutSync } from '../src/tenant-create/checkout-file.ts';
import { isGone } from '../src/tenant-create/forget-gone.ts';
import { Refusal } from './support/fake-api.ts';
import { runCommand } from './support/run-command.ts';
import { hello, makeProfile, makeWorld } from './support/world.ts';

const path = `/api/v1/tenants/${hello.id}`;
const errorOf = (stdout: string): unknown => (JSON.parse(stdout) as { error: unknown }).error;

test('a checkout is taken up by the session that the project kept, or by one that is named', async () => {
  const world = await makeWorld({ 'GET /api/v1/checkout/cs_1/events': new Refusal(403, 'forbidden') });
  const none = await runCommand(Create, ['--resume', 'last', '--json'], world);
  expect(none.exitCode).toBe(5);
  expect(errorOf(none.stdout)).toMatchObject({ code: 'SP_CLI_CHECKOUT_NOT_FOUND' });
  const nameless = await runCommand(Create, ['--resume', 'cs_1', '--json'], world);
  expect(nameless.exitCode).toBe(3);
  expect(errorOf(nameless.stdout)).toMatchObject({ flags: ['--profile'] });
  const kept = { checkout_session_id: 'cs_1', name: 'hello', profile: 'hello' };
  await writeFile(join(world.cwd, '.systemprompt/checkout.json'), JSON.stringify(kept));
  const taken = await runCommand(Create, ['--resume', 'last', '--json'], world);
  expect(taken.exitCode, taken.stdout).toBe(7);
  const asked = world.api.requests.map(({ what }) => what);
  expect(asked).toContain('GET /api/v1/checkout/cs_1/events');
  // Nothing is bought again.
  expect(asked.some((what) => what.startsWith('POST'))).toBe(false);
});

test('a checkout that was left is not forgotten by the next one', async () => {
  const world = await makeWorld();
  const path = join(world.cwd, '.systemprompt/checkout.json');
  const two = { checkout_session_id: 'cs_1', name: 'two', profile: 'two' };
  await writeFile(path, JSON.stringify(two));
  const argv = ['--name', 'three', '--plan', 'starter', '--region', 'iad', '--json'];
  const refused = await runCommand(Create, argv, world);
  expect(refused.exitCode, refused.stdout).toBe(3);
  const next = [
    'systemprompt cloud tenant create --resume last',
    'systemprompt cloud tenant create --name three --plan starter --region iad --new-checkout',
  ];
  expect(errorOf(refused.stdout)).toMatchObject({ next });
  expect(world.api.requests.map(({ what }) => what)).toEqual(['GET /api/v1/checkout/cs_1']);
  const project = discoverProjectContext({ from: world.cwd });
  saveCheckoutSync(project, { sessionId: 'cs_2', name: 'three', profileName: 'three' });
  expect(JSON.parse(await readFile(path, 'utf8'))).toMatchObject({ checkout_session_id: 'cs_2', earlier: [two] });
  // Each is taken up by its session, and forgotten by it alone.
  expect(findCheckout(project, { resume: 'cs_1' }, world.api.url)).toMatchObject({ name: 'two' });
  deleteCheckout(project, 'cs_2');
  expect(findCheckout(project, {}, world.api.url)).toMatchObject({ sessionId: 'cs_1', name: 'two' });
  deleteCheckout(project, 'cs_1');
  expect(existsSync(path)).toBe(false);
});

const checkoutOf = (sessionId: string, fields: object = {}): object => ({
  checkout_session_id: sessionId,
  name: sessionId.replaceAll('_', '-'),
  profile: sessionId.replaceAll('_', '-'),
  ...fields,
});
const writeCheckout = (cwd: string, stored: object): Promise<void> =>
  writeFile(join(cwd, '.systemprompt/checkout.json'), JSON.stringify(stored));
const readCheckout = async (cwd: string): Promise<unknown> =>
  JSON.parse(await readFile(join(cwd, '.systemprompt/checkout.json'), 'utf8')) as unknown;
const buying = ['--name', 'three', '--plan', 'starter', '--region', 'iad', '--json'];

test('a checkout that was begun at another API stands in nobody’s way, and is taken up there only', async () => {
  const world = await makeWorld({ 'GET /api/v1/checkout/plans': [] });
  const other = checkoutOf('cs_local', { api: 'http://127.0.0.1:7300', begun_at: new Date().toISOString() });
  await writeCheckout(world.cwd, other);
  // On to the plans: nothing holds it up.
  const bought = await runCommand(Create, buying, world);
  expect(errorOf(bought.stdout)).toMatchObject({ code: 'SP_CLI_PLAN_NOT_FOUND' });
  for (const session of ['last', 'cs_local']) {
    const taken = await runCommand(Create, ['--resume', session, '--json'], world);
    expect(taken.exitCode, taken.stdout).toBe(5);
    expect(errorOf(taken.stdout)).toMatchObject({
      code: 'SP_CLI_CHECKOUT_NOT_FOUND',
      message: expect.stringContaining('was begun at http://127.0.0.1:7300') as string,
    });
  }
  expect(world.api.requests.map(({ what }) => what)).not.toContain('GET /api/v1/checkout/cs_local/events');
  expect(await readCheckout(world.cwd)).toEqual(other);
});

test('checkouts that the API does not have any more, or were never paid, are forgotten with a sentence', async () => {
  const gone = new Refusal(404, 'checkout_not_found');
  const session = (id: string): object => ({ checkout_session_id: id, transaction_id: 'txn_1' });
  const world = await makeWorld({
    'GET /api/v1/checkout/plans': [],
    'GET /api/v1/checkout/cs_gone': gone,
    'GET /api/v1/checkout/cs_ended': new Refusal(410, 'checkout_ended'),
    'GET /api/v1/checkout/cs_unowned': gone,
    'GET /api/v1/checkout/cs_stale': session('cs_stale'),
    'GET /api/v1/checkout/cs_paid': { ...session('cs_paid'), tenant_id: hello.id, tenant_name: 'hello' },
  });
  const api = world.api.url;
  const old = new Date(Date.now() - 4 * 24 * 60 * 60 * 1000).toISOString();
  const paid = checkoutOf('cs_paid', { api, begun_at: old, note: 'of a later version' });
  const unowned = checkoutOf('cs_unowned', { note: 7 });
  const over = [
    checkoutOf('cs_gone', { api, begun_at: new Date().toISOString() }),
    checkoutOf('cs_ended', { api }),
    checkoutOf('cs_stale', { api, begun_at: old }),
  ];
  await writeCheckout(world.cwd, { ...unowned, earlier: [...over, paid] });
  const refused = await runCommand(Create, buying, world);
  expect(errorOf(refused.stdout)).toMatchObject({ message: expect.stringContaining('of cs-paid was left') as string });
  const { host } = new URL(api);
  expect(refused.stderr).toContain(`Forgot the checkout cs_gone of cs-gone: ${host} does not have it any more`);
  expect(refused.stderr).toContain(`Forgot the checkout cs_ended of cs-ended: ${host} does not have it any more`);
  expect(refused.stderr).toContain('Forgot the checkout cs_stale of cs-stale: it was not paid within three days');
  // That of an earlier version may be another API's; what is not known is kept as it was.
  expect(await readCheckout(world.cwd)).toEqual({ ...unowned, earlier: [paid] });
});

test('taking up a checkout that is gone says so at once, and forgets it', async () => {
  const gone = new Refusal(404, 'checkout_not_found');
  const world = await makeWorld({
    'GET /api/v1/checkout/cs_gone': gone,
    'GET /api/v1/checkout/cs_gone/events': gone,
  });
  await writeCheckout(world.cwd, checkoutOf('cs_gone', { api: world.api.url }));
  const taken = await runCommand(Create, ['--resume', 'last', '--json'], world);
  expect(taken.exitCode, taken.stdout).toBe(5);
  expect(errorOf(taken.stdout)).toMatchObject({
    code: 'SP_CLI_CHECKOUT_NOT_FOUND',
    message: expect.stringContaining('has no checkout cs_gone') as string,
  });
  expect(existsSync(join(world.cwd, '.systemprompt/checkout.json'))).toBe(false);
});

test.each([
  ['SP_API_NOT_FOUND', 404, 'checkout_not_found', true],
  ['SP_API_NOT_FOUND', 404, 'tenant_not_found', true],
  ['SP_API_GONE', 410, 'expired', true],
  // The page of a proxy: the checkout may be paid.
  ['SP_API_NOT_FOUND', 404, undefined, false],
  ['SP_API_NOT_FOUND', 404, 'not_found', false],
] as const)('%s (%s, %s): a checkout is gone: %s', (code, status, serverCode, gone) => {
  expect(isGone(new CloudApiError({ code, message: 'no', status, serverCode }))).toBe(gone);
});

test('a checkout keeps which API it was begun at', async () => {
  const world = await makeWorld();
  const project = discoverProjectContext({ from: world.cwd });
  const begunAt = new Date('2026-11-01T10:00:00Z');
  saveCheckoutSync(project, { sessionId: 'cs_1', name: 'one', profileName: 'one', api: 'https://api.test', begunAt });
  expect(await readCheckout(world.cwd)).toMatchObject({
    api: 'https://api.test',
    begun_at: '2026-11-01T10:00:00.000Z',
  });
  expect(() => findCheckout(project, {}, 'https://other.test')).toThrow(/begun at https:\/\/api\.test/);
  expect(findCheckout(project, {}, 'https://api.test')).toMatchObject({ sessionId: 'cs_1', begunAt });
});

test('a deploy that the server does not know cannot be taken up: exit code 5', async () => {
  const world = await makeWorld({
    [`GET ${path}`]: { data: hello },
    [`GET ${path}/releases/op-1`]: new Refusal(404, 'release_not_found'),
  });
  await makeProfile(world.cwd, 'hello');
  const { stdout, stderr, exitCode } = await runCommand(Deploy, ['--resume', 'op-1', '--json'], world);
  expect(exitCode, stdout + stderr).toBe(5);
  expect(errorOf(stdout)).toMatchObject({ code: 'SP_DEPLOY_RELEASE_NOT_FOUND' });
});

test('a plan changes nothing, tells what is missing, and does not go with --resume', async () => {
  const world = await makeWorld({ [`GET ${path}`]: { data: hello } });
  await makeProfile(world.cwd, 'hello');
  const { stdout, exitCode } = await runCommand(Deploy, ['--plan', '--base', 'scratch', '--json'], world);
  expect(exitCode, stdout).not.toBe(0);
  expect(world.api.requests.every(({ what }) => what.startsWith('GET'))).toBe(true);
  expect((await runCommand(Deploy, ['--plan', '--resume', 'x'], world)).exitCode).toBe(2);
});

test('dockerfile prints what a deploy builds, and names what is missing', async () => {
  const world = await makeWorld();
  await makeProfile(world.cwd, 'hello');
  const missing = await runCommand(Dockerfile, ['--json'], world);
  expect(missing.exitCode).toBe(1);
  expect(errorOf(missing.stdout)).toMatchObject({ code: 'SP_DEPLOY_PROJECT_INCOMPLETE' });
  for (const folder of ['storage/files', 'services/web/templates', 'services/config', 'web/dist', 'target/release']) {
    await mkdir(join(world.cwd, folder), { recursive: true });
  }
  await writeFile(join(world.cwd, 'target/release/systemprompt'), '#!/bin/sh\n', { mode: 0o755 });
  await writeFile(join(world.cwd, 'services/config/config.yaml'), 'settings: {}\n');
  const { stdout, stderr, exitCode } = await runCommand(Dockerfile, ['--base', 'scratch'], world);
  expect(exitCode, stderr).toBe(0);
  expect(stdout).toMatch(/^FROM scratch\n/);
});
