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
  [['cloud', 'status', '--yaml'], 'There is no flag --yaml any more: --json is what programs read'],
  [['cloud', 'status', '-q'], 'There is no flag -q any more: what is not the result goes to stderr'],
  [
    ['cloud', 'deploy', '--debug'],
    'There is no flag --debug any more: everything is told; a defect shows where it is under DEBUG=1',
  ],
  [
    ['cloud', 'db', 'tables', '--database-url', 'postgres://u:planted@h/d'],
    'There is no flag --database-url any more: a command takes the database of its --profile or --tenant',
  ],
  [
    ['cloud', 'profile', 'create', 'x', '--anthropic-key', 'planted-value'],
    'There is no flag --anthropic-key any more: a key is not given on the command line; set it afterwards with cloud profile edit --set-anthropic-key -',
  ],
  [
    ['cloud', 'sync', 'push', '--force'],
    'There is no flag --force any more: it did nothing; where both sides changed a file, --ours, --theirs or --keep-both decides',
  ],
  [['cloud', 'status', '--force'], 'There is no flag --force'],
  [['cloud', 'profile', 'show', '-f', 'ai'], 'There is no flag -f any more: take what you need of --json'],
  [['--yaml', 'cloud', 'status'], 'A command comes first, and --yaml after it'],
  [
    ['--database-url=postgres://u:planted@h/d', 'cloud', 'status'],
    'A command comes first, and --database-url after it',
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

test('help of what there is not says what was meant', async () => {
  const cwd = await temporaryFolder();
  const { stderr, exitCode } = await runBinary(['help', 'cloud', 'tenat'], { cwd });
  expect([exitCode, stderr]).toEqual([
    2,
    '✗ `cloud tenat` is not a command of systemprompt\n  See what there is: systemprompt help\n  $ systemprompt help cloud tenant\n  SP_CLI_UNKNOWN_COMMAND\n',
  ]);
  const json = await runBinary(['help', 'cloud', '--json'], { cwd });
  expect(json.exitCode).toBe(2);
  expect(JSON.parse(json.stdout)).toMatchObject({
    error: { code: 'SP_CLI_USAGE', message: expect.stringContaining('systemprompt commands --json') },
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

test('flags of every command are taken in front of it too', async () => {
  const cwd = await temporaryFolder();
  const { stdout, exitCode } = await runBinary(['--json', '--non-interactive', 'cloud', 'profile', 'list'], { cwd });
  expect([exitCode, JSON.parse(stdout)]).toMatchObject([5, { error: { code: 'SP_CLI_NO_PROJECT' } }]);
  const unknown = await runBinary(['--json', 'cloud', 'nope'], { cwd });
  expect(JSON.parse(unknown.stdout)).toMatchObject({ error: { code: 'SP_CLI_UNKNOWN_COMMAND' } });
});

test('the variables of earlier versions for JSON and for no colour', async () => {
  const cwd = await temporaryFolder();
  const asJson = { SYSTEMPROMPT_OUTPUT_FORMAT: 'json' };
  for (const argv of [
    ['cloud', 'profile', 'list'],
    ['cloud', 'nope'],
  ]) {
    const { stdout, stderr } = await runBinary(argv, { cwd, env: asJson });
    expect([stderr, JSON.parse(stdout)]).toMatchObject(['', { error: { code: expect.stringMatching(/^SP_CLI_/) } }]);
  }
  const coloured = { FORCE_COLOR: '1', NO_COLOR: '' };
  expect((await runBinary(['cloud', 'profile', 'list'], { cwd, env: coloured })).stderr).toContain('\u001B[');
  for (const [argv, env] of [
    [['cloud', 'profile', 'list'], { ...coloured, SYSTEMPROMPT_NO_COLOR: '1' }],
    [['cloud', 'profile', 'list', '--no-color'], coloured],
    [['--no-color', 'cloud', 'profile', 'list'], coloured],
    [['cloud', 'nope', '--no-color'], coloured],
  ] as const) {
    const { stderr } = await runBinary(argv, { cwd, env });
    expect(stderr).toMatch(/^✗ .*SP_CLI_/s);
    expect(stderr).not.toContain('\u001B');
  }
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
