import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { removeLocalCloud } from '@sp/management-api';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type LocalProject, startLocalProject } from './support/local-project.ts';
import { runBinary } from './support/run-binary.ts';
import { duration, keys, openTerminal, type TerminalSession } from './support/terminal.ts';

// One person's day, in order: each test goes on where the one before has ended.
let project: LocalProject;
let env: Readonly<Record<string, string>>;
let cwd: string;
beforeAll(async () => {
  project = await startLocalProject({ providerDelayMs: 150 });
  ({ env, cwd } = project);
});
afterAll(() => project[Symbol.asyncDispose]());

const open = (args: readonly string[], extra: Readonly<Record<string, string>> = {}): TerminalSession =>
  openTerminal(args, { cwd, env: { ...env, ...extra } });

const escape = '\u001b';

/** Nothing of what moved is left, and the terminal is as it was. */
function expectTidy(session: TerminalSession): void {
  expect(session.screen()).not.toMatch(/[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏]/);
  expect(session.cursorShown()).toBe(true);
}

test('init and login: the provider is chosen with the keys', async () => {
  const init = open(['cloud', 'init']);
  expect(await init.ended()).toBe(0);
  const login = open(['cloud', 'auth', 'login', '--environment', project.cloud.url]);
  await login.see('Log in with');
  login.type(keys.down);
  await login.see('● Google');
  login.type(keys.enter);
  expect(await login.ended(), login.screen()).toBe(0);
  expect(login.screen()).toContain('Logged in as ada@example.com');
  expect(login.raw()).toContain('provider=google');
  expectTidy(login);
});

test('Ctrl-C in a prompt ends with 130, and nothing was bought', async () => {
  const session = open(['cloud', 'tenant', 'create']);
  await session.see('Name of the tenant');
  session.type(keys.interrupt);
  expect(await session.ended()).toBe(130);
  expect(session.screen()).toContain('SP_CLI_INTERRUPTED');
  expectTidy(session);
});

test('Ctrl-C before the payment: how to take it up is said', async () => {
  const session = open(['cloud', 'tenant', 'create', '--name', 'shop', '--plan', 'starter', '--region', 'iad'], {
    BROWSER: '/bin/true',
  });
  await session.see('Allow the database from outside');
  session.type(keys.enter);
  await session.see('If no browser opens, visit');
  session.type(keys.interrupt);
  expect(await session.ended()).toBe(130);
  expect(session.screen()).toContain('systemprompt cloud tenant create --resume last');
  expectTidy(session);
  await rm(join(cwd, '.systemprompt/checkout.json'));
});

test('tenant create asks for name, plan and region, and shows how it goes on', async () => {
  const session = open(['cloud', 'tenant', 'create']);
  await session.see('Name of the tenant');
  // The folder's name is suggested.
  await session.see('my-shop');
  session.type(keys.enter);
  await session.see(/Plan[\s\S]*Starter/);
  session.type(keys.enter);
  await session.see('Region');
  session.type(keys.enter);
  // Enter alone is yes.
  await session.see('Allow the database from outside');
  session.type(keys.enter);
  expect(await session.ended(), session.screen()).toBe(0);
  expect(session.screen()).toContain('Tenant my-shop is ready for its first deploy');
  expect(session.screen()).toMatch(/Database +from outside too/);
  expect(session.screen()).toMatch(new RegExp(`✓ Tenant my-shop is set up ${duration}`));
  expect(session.raw()).toContain('infrastructure ready');
  // And it is so: the database answers from here.
  const tables = await runBinary(['cloud', 'db', 'tables', '--json'], { cwd, env });
  expect(tables.exitCode, tables.stdout).toBe(0);
  expectTidy(session);
});

test('deploy asks once, shows each step with its time, and survives a window that becomes narrow', async () => {
  const session = open(['cloud', 'deploy']);
  await session.see('Deploy to my-shop?');
  session.type('y');
  await session.see('Build the image');
  session.resize(40);
  expect(await session.ended(), session.screen()).toBe(0);
  for (const step of ['Check', 'Build the image', 'Push the image', 'Set secrets', 'Start the machine']) {
    expect(session.screen()).toMatch(new RegExp(`✓ ${step} ${duration}`));
  }
  expect(session.screen()).toContain('my-shop is running');
  expectTidy(session);
});

test('edit without flags asks what to change: of a tenant, and of a profile', async () => {
  const tenant = open(['cloud', 'tenant', 'edit', 'my-shop']);
  await tenant.see('What of my-shop is to change?');
  tenant.type(keys.down);
  await tenant.see('● Memory');
  tenant.type(keys.enter);
  await tenant.see('Memory in MiB');
  tenant.type(`256${keys.enter}`);
  expect(await tenant.ended(), tenant.screen()).toBe(0);
  expect(tenant.screen()).toContain('Changed the memory of my-shop');
  const profile = open(['cloud', 'profile', 'edit', 'my-shop']);
  await profile.see('What is to change?');
  for (const _ of ['openai', 'gemini', 'github', 'database', 'external']) profile.type(keys.down);
  await profile.see('● Where the server is reached from outside');
  profile.type(keys.enter);
  await profile.see('Its new value');
  profile.type(`https://shop.example${keys.enter}`);
  expect(await profile.ended(), profile.screen()).toBe(0);
  expect(profile.screen()).toContain('Changed server.api_external_url of the profile my-shop');
  expectTidy(profile);
});

test('a table is cut to the width of the window', async () => {
  const session = openTerminal(['cloud', 'tenant', 'list'], { cwd, env, columns: 60 });
  expect(await session.ended()).toBe(0);
  const lines = session.screen().split('\n');
  expect(lines.every((line) => line.length <= 60)).toBe(true);
  expect(lines.find((line) => line.startsWith('my-shop'))).toContain('…');
  const piped = await runBinary(['cloud', 'tenant', 'list'], { cwd, env });
  expect(piped.stdout).not.toContain('…');
});

test('Ctrl-C in the middle of a deploy: what goes on, and how to take it up; then it is taken up', async () => {
  await project.writeServer('slow');
  const session = open(['cloud', 'deploy', '--yes']);
  await session.see('Start the machine');
  await vi.waitFor(
    async () => expect((await runBinary(['cloud', 'status'], { cwd, env })).stdout).toMatch(/shop +deploying/),
    {
      timeout: 90_000,
    },
  );
  session.type(keys.interrupt);
  expect(await session.ended(), session.screen()).toBe(130);
  expect(session.screen()).toContain('SP_DEPLOY_ABORTED');
  expect(session.screen()).toMatch(/\$ systemprompt cloud status --tenant [0-9a-f-]{36} --watch/);
  expectTidy(session);
  // It goes on without anybody waiting; watching ends when nothing is under way.
  const watch = open(['cloud', 'status', '--watch', '--interval', '1']);
  await watch.see('my-shop is deploying');
  const { releases } = JSON.parse((await runBinary(['cloud', 'releases', '--json'], { cwd, env })).stdout) as {
    releases: { id: string }[];
  };
  const resumed = open(['cloud', 'deploy', '--resume', releases[0]?.id ?? '']);
  await resumed.see('Wait until it is healthy');
  resumed.type(keys.interrupt);
  expect(await resumed.ended()).toBe(130);
  const next = `systemprompt cloud deploy --profile my-shop --resume ${releases[0]?.id}`;
  expect(resumed.screen().replaceAll('\n', '')).toContain(next);
  const again = open(next.split(' ').slice(1));
  await again.see('Wait until it is healthy');
  await project.wake();
  expect(await again.ended(), again.screen()).toBe(0);
  expect(again.screen()).toContain('my-shop is running');
  expect(await watch.ended(), watch.screen()).toBe(0);
  expect(watch.screen()).toMatch(/my-shop +running/);
});

test('Ctrl-C in the middle of a restart and of a rollback: what goes on, and how to see it', async () => {
  await project.sleep();
  const restart = open(['cloud', 'restart', '--yes']);
  await restart.see('Restarting my-shop');
  restart.type(keys.interrupt);
  expect(await restart.ended(), restart.screen()).toBe(130);
  expect(restart.screen()).toContain('Stopped waiting');
  expect(restart.screen()).toMatch(/\$ systemprompt cloud status --tenant \S+ --watch/);
  expectTidy(restart);
  await project.wake();
  expect(await open(['cloud', 'status', '--watch', '--interval', '1']).ended()).toBe(0);
  await project.sleep();
  const rollback = open(['cloud', 'rollback', '--release', '2', '--yes']);
  await rollback.see('Start the machine');
  rollback.type(keys.interrupt);
  expect(await rollback.ended(), rollback.screen()).toBe(130);
  expect(rollback.screen()).toMatch(/\$ systemprompt cloud status/);
  expectTidy(rollback);
  await project.wake();
  expect(await open(['cloud', 'status', '--watch', '--interval', '1']).ended()).toBe(0);
});

test('Ctrl-C while a local cloud starts: nothing is left running', async () => {
  const dataDir = join(cwd, '../another cloud');
  const args = ['--data-dir', dataDir];
  const up = open(['cloud', 'local', 'up', '--port', '0', '--machines', 'process', ...args]);
  await up.see('Starting the local cloud');
  up.type(keys.interrupt);
  expect(await up.ended(), up.screen()).toBe(130);
  expectTidy(up);
  await vi.waitFor(
    async () => {
      const status = await runBinary(['cloud', 'local', 'status', ...args, '--json'], { cwd, env });
      expect(JSON.parse(status.stdout)).toMatchObject({ running: false });
    },
    { timeout: 90_000, interval: 500 },
  );
  await removeLocalCloud({ dataDir });
});

test('Ctrl-C in the middle of following and of a login', async () => {
  for (const [args, shown] of [
    [['cloud', 'logs', '--follow'], 'listening'],
    [['cloud', 'auth', 'login', '--environment', project.cloud.url, '--device'], 'Waiting up to'],
  ] as const) {
    const session = open(args);
    await session.see(shown);
    session.type(keys.interrupt);
    expect(await session.ended(), args.join(' ')).toBe(130);
    expectTidy(session);
  }
});

test('NO_COLOR, FORCE_COLOR and TERM=dumb', async () => {
  const colour = new RegExp(`${escape}\\[\\d+(;\\d+)*m`);
  const args = ['cloud', 'tenant', 'list', '--cached'];
  const plain = open(args, { NO_COLOR: '1' });
  expect(await plain.ended()).toBe(0);
  expect(plain.raw()).not.toMatch(colour);
  const coloured = open(args);
  expect(await coloured.ended()).toBe(0);
  expect(coloured.raw()).toMatch(colour);
  const forced = await runBinary(args, { cwd, env: { ...env, NO_COLOR: '', FORCE_COLOR: '1' } });
  expect(forced.stdout).toMatch(colour);

  const dumb = open(['cloud', 'restart'], { TERM: 'dumb' });
  // It can neither ask nor draw: a question is exit code 3, and nothing moves.
  expect(await dumb.ended()).toBe(3);
  expect(dumb.raw()).not.toContain(escape);
});

test('delete asks for the name, and takes no other', async () => {
  const wrong = open(['cloud', 'tenant', 'delete', 'my-shop']);
  await wrong.see('Type my-shop to go on');
  wrong.type(`my-sho${keys.enter}`);
  expect(await wrong.ended()).toBe(2);
  expect(wrong.screen()).toContain('Nothing was changed');
  const session = open(['cloud', 'tenant', 'delete', 'my-shop']);
  await session.see('Type my-shop to go on');
  session.type(`my-shop${keys.enter}`);
  expect(await session.ended(), session.screen()).toBe(0);
  expect(session.screen()).toContain('my-shop is deleted');
  expectTidy(session);
});
