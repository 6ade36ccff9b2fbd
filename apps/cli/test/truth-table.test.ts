import { expect, test } from 'vitest';
import Restart from '../src/commands/cloud/restart.ts';
import TenantShow from '../src/commands/cloud/tenant/show.ts';
import { decideConfirmation, decideLoginTransport, decidePresentation } from '../src/presentation.ts';
import { runCommand } from './support/run-command.ts';
import { hello, makeWorld, second } from './support/world.ts';

const flags = [true, false];
/** Every combination of: terminal, CI, --json, --yes. */
const table = flags.flatMap((terminal) =>
  flags.flatMap((ci) => flags.flatMap((json) => flags.map((yes) => ({ terminal, ci, json, yes })))),
);

test.each(table)('terminal=$terminal CI=$ci json=$json yes=$yes', ({ terminal, ci, json, yes }) => {
  const env = ci ? { CI: 'true' } : {};
  const streams = { stdin: terminal, stdout: terminal, stderr: terminal };
  const { prompts, attended, animation } = decidePresentation({ ...streams, env, json, refused: false });
  expect(attended).toBe(terminal && !ci);
  // Somebody is asked, and something moves, only where a person looks at a terminal.
  expect({ prompts, animation }).toEqual({ prompts: terminal && !ci && !json, animation: terminal && !ci && !json });
  expect(decideConfirmation({ prompts, yes })).toBe(yes ? 'given' : terminal && !ci && !json ? 'ask' : 'input-needed');
});

const all = { stdin: true, stdout: true, stderr: true };
test.each([
  [all, {}, { prompts: true, animation: true }],
  // Each stream for itself: `systemprompt … | less` shows progress and asks nothing.
  [{ ...all, stdout: false }, {}, { prompts: false, animation: true }],
  [{ ...all, stdin: false }, {}, { prompts: false, animation: true }],
  [{ ...all, stderr: false }, {}, { prompts: true, animation: false }],
  [all, { CI: 'false' }, { prompts: true, animation: true }],
  [all, { CI: '0' }, { prompts: true, animation: true }],
  [all, { TERM: 'dumb' }, { prompts: false, animation: false }],
  [all, { NO_COLOR: '1' }, { prompts: true, animation: true }],
  [all, { SYSTEMPROMPT_NON_INTERACTIVE: '1' }, { prompts: false, animation: true }],
])('%j %j: %j', (streams, env, decided) => {
  expect(decidePresentation({ ...streams, env, json: false, refused: false })).toMatchObject(decided);
});

test('--non-interactive asks nothing, and still shows what goes on', () => {
  const decided = decidePresentation({ ...all, env: {}, json: false, refused: true });
  expect(decided).toEqual({ prompts: false, attended: false, animation: true });
});

test.each([
  ['a Mac', 'darwin', {}, false, 'browser'],
  ['Windows', 'win32', {}, false, 'browser'],
  ['a Linux desktop', 'linux', { DISPLAY: ':0' }, false, 'browser'],
  ['a Linux desktop', 'linux', { WAYLAND_DISPLAY: 'wayland-0' }, false, 'browser'],
  ['a Linux without a screen', 'linux', {}, false, 'device'],
  ['SSH', 'darwin', { SSH_CONNECTION: '10.0.0.1 1 10.0.0.2 22' }, false, 'device'],
  ['SSH with a forwarded screen', 'linux', { SSH_TTY: '/dev/pts/0', DISPLAY: 'localhost:10.0' }, false, 'device'],
  ['WSL', 'linux', { WSL_DISTRO_NAME: 'Debian', DISPLAY: ':0' }, false, 'device'],
  ['a container', 'linux', { DISPLAY: ':0' }, true, 'device'],
  ['a development container', 'linux', { REMOTE_CONTAINERS: 'true', DISPLAY: ':0' }, false, 'device'],
  ['a pod', 'linux', { KUBERNETES_SERVICE_HOST: '10.0.0.1' }, false, 'device'],
  ['SSH with a browser named', 'linux', { SSH_TTY: '/dev/pts/0', BROWSER: 'w3m' }, false, 'browser'],
  ['WSL with a browser named', 'linux', { WSL_DISTRO_NAME: 'Debian', BROWSER: 'wslview' }, false, 'browser'],
  ['CI with a browser named', 'linux', { CI: 'true', BROWSER: 'firefox' }, true, 'browser'],
] as const)('login in %s (%s %j container=%s): %s', (_, platform, env, container, transport) => {
  const world = { platform, env, container };
  expect(decideLoginTransport({ ...world, attended: true, refused: false })).toBe(transport);
  // Where nobody sits only a browser that is named can answer; who refuses to be asked is not.
  const named = 'BROWSER' in env ? 'browser' : 'none';
  expect(decideLoginTransport({ ...world, attended: false, refused: false })).toBe(named);
  expect(decideLoginTransport({ ...world, attended: true, refused: true })).toBe('none');
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
  if (json && exitCode === 3) expect(JSON.parse(done.stdout)).toMatchObject({ error: { action_required: true } });
  if (exitCode === 3) expect(world.api.requests.some(({ what }) => what.startsWith('POST'))).toBe(false);
});

test('several tenants without a terminal: 3 with next, as text and as JSON', async () => {
  const world = await makeWorld({}, [hello, second]);
  const text = await runCommand(TenantShow, [], world);
  expect(text).toMatchObject({ exitCode: 3, stdout: '' });
  expect(text.stderr).toContain(`$ systemprompt cloud tenant show ${second.id}`);
  expect((await runCommand(TenantShow, ['--json'], world)).exitCode).toBe(3);
});
