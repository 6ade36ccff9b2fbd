import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { editSecrets } from '@sp/tenants';
import { expect, test } from 'vitest';
import Down from '../src/commands/cloud/sync/down.ts';
import Status from '../src/commands/cloud/sync/status.ts';
import Undo from '../src/commands/cloud/sync/undo.ts';
import Up from '../src/commands/cloud/sync/up.ts';
import { runCommand } from './support/run-command.ts';
import { makeRunningTenant } from './support/running-tenant.ts';
import { keys, openTerminal } from './support/terminal.ts';
import { hello, makeProfile, makeWorld } from './support/world.ts';

const parse = (text: string): Record<string, unknown> => JSON.parse(text) as Record<string, unknown>;

/** Both sides have `a.md` and have agreed on it, and then each has changed it. */
async function makeConflict(): Promise<Awaited<ReturnType<typeof makeRunningTenant>>> {
  const world = await makeRunningTenant();
  await writeFile(join(world.services, 'a.md'), 'agreed\n');
  const first = await runCommand(Up, ['--json'], world);
  expect(parse(first.stdout)).toMatchObject({ up: ['a.md'] });
  await writeFile(join(world.services, 'a.md'), 'ours\n');
  await writeFile(join(world.tenant, 'a.md'), 'theirs, and longer\n');
  return world;
}

test('on a terminal each conflict is asked about: both versions are shown, leaving them is suggested', async () => {
  const { cwd, env, services, tenant, token } = await makeConflict();
  const ours = (): Promise<string> => readFile(join(services, 'a.md'), 'utf8');
  const left = openTerminal(['cloud', 'sync', 'up'], { cwd, env });
  await left.see(/a\.md changed on both sides: here 5 B, [0-9a-f]{8}; in the tenant 19 B/);
  await left.see('Which version of a.md?');
  left.type(keys.interrupt);
  expect(await left.ended(), left.screen()).toBe(130);
  expect(await ours()).toBe('ours\n');

  const leave = openTerminal(['cloud', 'sync', 'down'], { cwd, env });
  await leave.see('● Leave both as they are');
  leave.type(keys.enter);
  expect(await leave.ended(), leave.screen()).toBe(11);
  expect(await ours()).toBe('ours\n');

  const take = openTerminal(['cloud', 'sync', 'down'], { cwd, env });
  await take.see('● Leave both as they are');
  take.type(keys.down);
  await take.see("● This project's");
  take.type(keys.down);
  await take.see("● The tenant's");
  take.type(keys.enter);
  expect(await take.ended(), take.screen()).toBe(0);
  expect(take.screen()).toContain('Changed 0 files in the tenant and 1 here');
  expect(await ours()).toBe('theirs, and longer\n');
  expect(await readFile(join(tenant, 'a.md'), 'utf8')).toBe('theirs, and longer\n');
  expect(take.cursorShown()).toBe(true);
  expect(left.raw() + leave.raw() + take.raw()).not.toContain(token);
});

test('without a terminal a conflict is left: 11, and a flag decides; undo takes it back', async () => {
  const world = await makeConflict();
  const left = await runCommand(Up, ['--json'], world);
  expect(left.exitCode).toBe(11);
  expect(parse(left.stdout)).toMatchObject({ up: [], conflicts: ['a.md'] });
  expect((await runCommand(Status, ['--json'], world)).exitCode).toBe(9);
  expect((await runCommand(Up, ['--ours', '--theirs', '--json'], world)).exitCode).toBe(2);
  const dry = await runCommand(Up, ['--ours', '--dry-run', '--json'], world);
  expect(dry.exitCode).toBe(9);
  expect(await readFile(join(world.tenant, 'a.md'), 'utf8')).toBe('theirs, and longer\n');
  expect(parse((await runCommand(Up, ['--ours', '--json'], world)).stdout)).toMatchObject({ up: ['a.md'] });
  expect(await readFile(join(world.tenant, 'a.md'), 'utf8')).toBe('ours\n');
  const undone = await runCommand(Undo, ['--json'], world);
  expect(undone.exitCode, undone.stdout).toBe(0);
  expect(await readFile(join(world.tenant, 'a.md'), 'utf8')).toBe('theirs, and longer\n');
});

test('what stands in the way of a sync: a token nobody knows or that is wrong, a tenant that does not run', async () => {
  const world = await makeRunningTenant();
  await writeFile(join(world.services, 'a.md'), 'a\n');
  const secrets = join(world.cwd, '.systemprompt/profiles/hello/secrets.json');
  await editSecrets(secrets, { sync_token: 'planted-wrong-token' });
  const wrong = await runCommand(Up, ['--json'], world);
  expect(parse(wrong.stdout)).toMatchObject({ error: { code: 'SP_SYNC_UNAUTHORIZED' } });
  expect(wrong.exitCode).toBe(7);
  expect(wrong.stdout + wrong.stderr).not.toContain('planted-wrong-token');

  const running = { data: { status: 'running', app_url: 'http://127.0.0.1:1' } };
  const nobody = await makeWorld({ [`GET /api/v1/tenants/${hello.id}/status`]: running });
  await makeProfile(nobody.cwd, 'hello');
  for (const CommandType of [Up, Down, Status]) {
    const unknown = await runCommand(CommandType, ['--json'], nobody);
    expect(parse(unknown.stdout)).toMatchObject({ error: { code: 'SP_CLI_SYNC_TOKEN_UNKNOWN' } });
  }

  const stopped = await makeWorld({ [`GET /api/v1/tenants/${hello.id}/status`]: { data: { status: 'pending' } } });
  const none = await runCommand(Down, ['--json'], stopped);
  expect(none.exitCode).toBe(8);
  expect(parse(none.stdout)).toMatchObject({ error: { code: 'SP_CLI_NO_PAGE' } });
});

test('what a sync says to run next is about the same tenant and the same sync, as it is', async () => {
  const world = await makeRunningTenant();
  await writeFile(join(world.services, 'a.md'), 'new\n');
  const { stdout, exitCode } = await runCommand(Up, ['--tenant', 'hello'], world);
  expect(exitCode, stdout).toBe(0);
  const line = /^To take it back: (.+)$/m.exec(stripVTControlCharacters(stdout))?.[1] ?? '';
  const [command, id = ''] = line.split(/ (?=\S+$)/);
  expect(command).toBe('systemprompt cloud sync undo --tenant hello');
  const undone = await runCommand(Undo, ['--tenant', 'hello', id, '--json'], world);
  expect(parse(undone.stdout)).toMatchObject({ of: id, up: ['a.md'] });
});
