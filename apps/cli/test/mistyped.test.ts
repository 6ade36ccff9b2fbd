import { expect, test } from 'vitest';
import { runBinary } from './support/run-binary.ts';
import { temporaryFolder } from './support/temporary-folder.ts';

test.each([
  [['cloud', 'auth', 'login', '--enviroment', 'local'], 'There is no flag --enviroment; did you mean --environment?'],
  [['cloud', 'deploy', '--drry-run'], 'There is no flag --drry-run; did you mean --dry-run?'],
  [['cloud', 'db', 'backup', '--no-verfy'], 'There is no flag --no-verfy; did you mean --no-verify?'],
  [['cloud', 'status', '--jsn'], 'There is no flag --jsn; did you mean --json?'],
  [['cloud', 'status', '--non-interactiv'], 'There is no flag --non-interactiv; did you mean --non-interactive?'],
  [['cloud', 'status', '--quux', '-x'], 'There is no flag --quux; there is no flag -x'],
  [['cloud', 'profile', 'show', '--filter', 'x'], 'There is no flag --filter any more: take what you need of --json'],
  [
    ['cloud', 'tenant', 'delete', '--yes'],
    '--yes is not enough for what cannot be brought back: it is --confirm with the name now',
  ],
  // The value may be a secret that went to the wrong flag.
  [['cloud', 'status', '--tennant=planted-value'], 'There is no flag --tennant; did you mean --tenant?'],
])('%j: %s', async (argv, message) => {
  const cwd = await temporaryFolder();
  const text = await runBinary(argv, { cwd });
  expect(text.stderr).toBe(`✗ ${message}\n  See the options with --help.\n  SP_CLI_USAGE\n`);
  expect([text.exitCode, text.stdout]).toEqual([2, '']);

  const json = await runBinary([...argv, '--json'], { cwd });
  expect(JSON.parse(json.stdout)).toEqual({
    error: { code: 'SP_CLI_USAGE', message, suggestions: ['See the options with --help.'] },
  });
  expect([json.exitCode, json.stderr]).toEqual([2, '']);
});

test.each([
  ['cloud sync admin-user --profile hello', /There is no `cloud sync admin-user` any more: a tenant's users/],
  [
    'cloud db execute update --profile hello',
    /no `cloud db execute` any more.*\n(.*\n)*.*cloud db query "update …" --write/,
  ],
  ['cloud db size', /no `cloud db size` any more/],
])('an old command says what there is instead: %s', async (line, message) => {
  const cwd = await temporaryFolder();
  const text = await runBinary(line.split(' '), { cwd });
  expect(text.stderr).toMatch(message);
  expect(text.exitCode).toBe(2);
  const json = await runBinary([...line.split(' '), '--json'], { cwd });
  expect(JSON.parse(json.stdout)).toMatchObject({
    error: {
      code: 'SP_CLI_UNKNOWN_COMMAND',
      next: expect.arrayContaining([expect.stringContaining('systemprompt cloud')]),
    },
  });
});

test('a topic is help for people, and an error for programs that names its commands', async () => {
  const cwd = await temporaryFolder();
  expect((await runBinary(['cloud', 'tenant'], { cwd })).exitCode).toBe(0);
  const { stdout, exitCode } = await runBinary(['cloud', 'tenant', '--json'], { cwd });
  expect(exitCode).toBe(2);
  expect(JSON.parse(stdout)).toMatchObject({
    error: { code: 'SP_CLI_UNKNOWN_COMMAND', available: expect.arrayContaining(['cloud tenant create']) },
  });
});

test('flags of earlier versions that mean nothing now are taken', async () => {
  const cwd = await temporaryFolder();
  expect((await runBinary(['cloud', 'auth', 'logout', '--yes'], { cwd })).exitCode).toBe(0);
  expect((await runBinary(['cloud', 'deploy', '--no-sync'], { cwd })).stderr).toContain('SP_CLI_NO_PROJECT');
});

test('a home where nothing can be made is no reason to wait for ever', async () => {
  const cwd = await temporaryFolder();
  const { exitCode, stderr } = await runBinary(['cloud', 'status'], { cwd, env: { HOME: '/proc', CI: '' } });
  expect([exitCode, stderr]).toEqual([5, expect.stringContaining('SP_CLI_NO_PROJECT')]);
});
