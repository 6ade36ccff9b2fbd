import { expect, test } from 'vitest';
import Restart from '../src/commands/cloud/restart.ts';
import TenantShow from '../src/commands/cloud/tenant/show.ts';
import { isInteractive } from '../src/interactive.ts';
import { runCommand } from './support/run-command.ts';
import { hello, makeWorld, second } from './support/world.ts';

const terminal = { stdin: true, stdout: true };

test.each([
  // terminal, CI, --json, --non-interactive → asked?
  [terminal, {}, false, false, true],
  [terminal, {}, true, false, false],
  [terminal, {}, false, true, false],
  [terminal, { CI: 'true' }, false, false, false],
  [terminal, { CI: 'false' }, false, false, true],
  [terminal, { SYSTEMPROMPT_NON_INTERACTIVE: '1' }, false, false, false],
  [{ stdin: false, stdout: true }, {}, false, false, false],
  [{ stdin: true, stdout: false }, {}, false, false, false],
  [{ stdin: false, stdout: false }, {}, false, false, false],
  [{ stdin: false, stdout: false }, { CI: '1' }, true, true, false],
])('%j %j json=%s non-interactive=%s: asked %s', (streams, env, json, refused, asked) => {
  expect(isInteractive({ ...streams, env, json, refused })).toBe(asked);
});

test.each([
  // --json, --yes → exit code
  [false, false, 3],
  [true, false, 3],
  [false, true, 0],
  [true, true, 0],
])('restart without a terminal, json=%s yes=%s: exit code %s', async (json, yes, exitCode) => {
  const world = await makeWorld({ [`POST /api/v1/tenants/${hello.id}/restart`]: { status: 'running' } });
  const argv = [...(json ? ['--json'] : []), ...(yes ? ['--yes'] : [])];
  const done = await runCommand(Restart, argv, world);
  expect(done.exitCode).toBe(exitCode);
  if (json) expect(JSON.parse(done.stdout)).toBeTypeOf('object');
  else expect(done.stdout).toBe(exitCode === 0 ? 'hello is running\n' : '');
  if (exitCode === 3) expect(world.api.requests.some(({ what }) => what.startsWith('POST'))).toBe(false);
});

test('several tenants without a terminal: 3 with next, as text and as JSON', async () => {
  const world = await makeWorld({}, [hello, second]);
  const text = await runCommand(TenantShow, [], world);
  expect(text).toMatchObject({ exitCode: 3, stdout: '' });
  expect(text.stderr).toContain(`$ systemprompt cloud tenant show ${second.id}`);
  expect((await runCommand(TenantShow, ['--json'], world)).exitCode).toBe(3);
});
