import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { discoverProjectContext } from '@sp/paths';
import { expect, test } from 'vitest';
import Deploy from '../src/commands/cloud/deploy.ts';
import Dockerfile from '../src/commands/cloud/dockerfile.ts';
import Create from '../src/commands/cloud/tenant/create.ts';
import { deleteCheckout, findCheckout, saveCheckoutSync } from '../src/tenant-create/checkout-file.ts';
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
  expect(refused.exitCode).toBe(3);
  const next = [
    'systemprompt cloud tenant create --resume last',
    'systemprompt cloud tenant create --name three --new-checkout',
  ];
  expect(errorOf(refused.stdout)).toMatchObject({ next });
  expect(world.api.requests).toEqual([]);
  const project = discoverProjectContext({ from: world.cwd });
  saveCheckoutSync(project, { sessionId: 'cs_2', name: 'three', profileName: 'three' });
  expect(JSON.parse(await readFile(path, 'utf8'))).toMatchObject({ checkout_session_id: 'cs_2', earlier: [two] });
  // Each is taken up by its session, and forgotten by it alone.
  expect(await findCheckout(project, { resume: 'cs_1' })).toMatchObject({ name: 'two' });
  deleteCheckout(project, 'cs_2');
  expect(await findCheckout(project, {})).toMatchObject({ sessionId: 'cs_1', name: 'two' });
  deleteCheckout(project, 'cs_1');
  expect(existsSync(path)).toBe(false);
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
