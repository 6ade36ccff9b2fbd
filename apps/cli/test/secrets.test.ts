import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseDotenv } from '@sp/deploy';
import { editSecrets } from '@sp/tenants';
import { expect, test } from 'vitest';
import Deploy from '../src/commands/cloud/deploy.ts';
import Cleanup from '../src/commands/cloud/secrets/cleanup.ts';
import Diff from '../src/commands/cloud/secrets/diff.ts';
import Export from '../src/commands/cloud/secrets/export.ts';
import Import from '../src/commands/cloud/secrets/import.ts';
import List from '../src/commands/cloud/secrets/list.ts';
import SecretsSet from '../src/commands/cloud/secrets/set.ts';
import Sync from '../src/commands/cloud/secrets/sync.ts';
import Unset from '../src/commands/cloud/secrets/unset.ts';
import { formatDotenv } from '../src/secrets/format-dotenv.ts';
import { runBinary } from './support/run-binary.ts';
import { runCommand } from './support/run-command.ts';
import { hello, makeProfile, makeWorld, planted } from './support/world.ts';

const path = `/api/v1/tenants/${hello.id}/secrets`;
const answers = {
  [`GET ${path}`]: { keys: ['LOG_LEVEL', 'SYSTEMPROMPT_API_URL'] },
  [`POST ${path}`]: {},
  [`DELETE ${path}/LOG_LEVEL`]: {},
  [`DELETE ${path}/SYSTEMPROMPT_API_URL`]: {},
};

test('list tells names', async () => {
  const world = await makeWorld(answers);
  const { stdout } = await runCommand(List, ['--json'], world);
  expect(JSON.parse(stdout)).toEqual({
    tenant_id: hello.id,
    tenant_name: 'hello',
    keys: ['LOG_LEVEL', 'SYSTEMPROMPT_API_URL'],
  });
});

test('set takes KEY=VALUE, and KEY from stdin; no value is printed', async () => {
  const world = await makeWorld(answers);
  const pair = await runCommand(SecretsSet, ['log_level=a=b'], world);
  expect(pair).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('Set LOG_LEVEL of hello (') });
  const readStdin = (): Promise<string> => Promise.resolve(`${planted}\n`);
  const piped = await runCommand(SecretsSet, ['KEY', '--stdin', '--json'], { ...world, readStdin });
  expect(JSON.parse(piped.stdout)).toMatchObject({ tenant_name: 'hello', keys: ['KEY'] });
  expect(world.api.bodies).toEqual([{ secrets: { LOG_LEVEL: 'a=b' } }, { secrets: { KEY: planted } }]);
  expect(piped.stdout + piped.stderr).not.toContain(planted);
});

test('a value that is missing is 3 without a terminal, a name of the platform is 2, and nothing is sent', async () => {
  const world = await makeWorld(answers);
  const missing = await runCommand(SecretsSet, ['KEY', '--json'], world);
  expect(missing.exitCode).toBe(3);
  expect(JSON.parse(missing.stdout)).toMatchObject({
    error: { code: 'SP_CLI_INPUT_NEEDED', next: [expect.stringContaining('KEY --stdin <')] },
  });
  for (const argv of [['FLY_APP_NAME=x'], ['A=1', 'fly_machine_id=2'], ['=x'], ['no-dashes=x']]) {
    const { stdout, exitCode } = await runCommand(SecretsSet, [...argv, '--json'], world);
    expect(exitCode).toBe(2);
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: 'SP_CLI_SECRET_REFUSED' } });
  }
  expect((await runCommand(Unset, ['FLY_APP_NAME'], world)).exitCode).toBe(2);
  expect((await runCommand(SecretsSet, [], world)).exitCode).toBe(3);
  expect(world.api.bodies).toEqual([]);
});

test('unset and cleanup remove what they say', async () => {
  const world = await makeWorld(answers);
  expect((await runCommand(Unset, ['log_level'], world)).stdout).toContain('Removed LOG_LEVEL of hello');
  const { stdout } = await runCommand(Cleanup, ['--json'], world);
  expect(JSON.parse(stdout)).toMatchObject({ keys: ['SYSTEMPROMPT_API_URL'] });
  expect(world.api.requests.filter(({ what }) => what.startsWith('DELETE'))).toHaveLength(2);
});

test('import reads a .env file or stdin, all or nothing', async () => {
  const world = await makeWorld(answers);
  await writeFile(join(world.cwd, '.env'), `export A="1"\nB=2 # two\n`);
  expect(JSON.parse((await runCommand(Import, ['.env', '--json'], world)).stdout)).toMatchObject({ keys: ['A', 'B'] });
  const readStdin = (): Promise<string> => Promise.resolve('A=1\nthis is nothing\n');
  const broken = await runCommand(Import, ['-', '--json'], { ...world, readStdin });
  expect(broken.exitCode).toBe(2);
  expect(JSON.parse(broken.stdout)).toMatchObject({ error: { code: 'SP_DEPLOY_DOTENV_INVALID' } });
  await writeFile(join(world.cwd, 'x.env'), 'not a line\n');
  const named = await runCommand(Import, ['x.env', '--json'], world);
  expect(JSON.parse(named.stdout)).toMatchObject({ error: { findings: [{ path: 'x.env', line: 1 }] } });
  expect((await runCommand(Import, ['nowhere.env'], world)).exitCode).toBe(5);
  // A folder is there, and no file.
  expect((await runCommand(Import, ['.'], world)).exitCode).toBe(1);
  expect(world.api.bodies).toEqual([{ secrets: { A: '1', B: '2' } }]);
});

test('sync sends what the profile has, diff tells what it would change: exit code 9', async () => {
  const diff = { added: ['NEW'], changed: [], removed: [], remote_only: ['OLD'], version: 3 };
  const world = await makeWorld({
    ...answers,
    [`GET ${path}/digest-key`]: { data: { key: 'a2V5' } },
    [`POST ${path}/diff`]: { data: diff },
  });
  await makeProfile(world.cwd, 'hello');
  const compared = await runCommand(Diff, ['--json'], world);
  expect(compared.exitCode, compared.stdout).toBe(9);
  expect(JSON.parse(compared.stdout)).toMatchObject({ profile: 'hello', changes: true, added: ['NEW'] });
  expect(JSON.stringify(world.api.bodies)).not.toContain('postgresql://');
  const sent = await runCommand(Sync, ['--json'], world);
  expect((JSON.parse(sent.stdout) as { keys: string[] }).keys).toContain('DATABASE_URL');
  expect(sent.stdout + sent.stderr).not.toContain('postgresql://');
});

test('export writes what the profile has as a private .env file, or prints it when asked to', async () => {
  const world = await makeWorld();
  await makeProfile(world.cwd, 'hello');
  await editSecrets(join(world.cwd, '.systemprompt/profiles/hello/secrets.json'), { anthropic: planted });
  expect((await runCommand(Export, ['--json'], world)).exitCode).toBe(3);
  const argv = ['--output', '.env.production', '--json'];
  const written = await runCommand(Export, argv, world);
  expect(written.exitCode, written.stdout).toBe(0);
  expect(written.stdout + written.stderr).not.toContain(planted);
  const path = join(world.cwd, '.env.production');
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect(parseDotenv(await readFile(path, 'utf8'))).toMatchObject({ ANTHROPIC_API_KEY: planted });
  await expect(stat(join(world.cwd, '.gitignore'))).rejects.toThrow();
  expect((await runCommand(Export, argv, world)).exitCode).toBe(6);
  expect((await runCommand(Export, [...argv, '--force'], world)).exitCode).toBe(0);
  expect((await runCommand(Export, ['--stdout'], world)).stdout).toContain(`ANTHROPIC_API_KEY=${planted}\n`);
  expect((await runCommand(Export, ['--stdout', '--output', 'x'], world)).exitCode).toBe(2);
});

test.each(['', 'a b', `it's`, '$HOME "x" \\n', 'two\nlines', `'\r\n\t"`, '#no comment', ' blanks ', '`x`', 'ü€😀'])(
  'a .env file gives back %j',
  (value) => {
    expect(parseDotenv(formatDotenv({ NAME: value, OTHER: '1' }))).toEqual({ NAME: value, OTHER: '1' });
  },
);

test('a secret on stdin is not taken for an argument that is missing', async () => {
  const { cwd } = await makeWorld();
  await makeProfile(cwd, 'a');
  await makeProfile(cwd, 'b');
  const argv = ['cloud', 'profile', 'edit', '--set-anthropic-key', '-', '--json'];
  const { stdout, stderr, exitCode } = await runBinary(argv, { cwd, stdin: `${planted}\n` });
  expect(exitCode).toBe(3);
  expect(stdout + stderr).not.toContain(planted);
});

test('a secret that is no text is told of and left out; a JWT secret that no tenant takes is refused', async () => {
  const world = await makeWorld({
    ...answers,
    [`POST /api/v1/tenants/${hello.id}/secrets/diff`]: {
      data: { version: 1, added: [], changed: [], unchanged: [], removed: [], remote_only: [] },
    },
  });
  await makeProfile(world.cwd, 'hello');
  const file = join(world.cwd, '.systemprompt/profiles/hello/secrets.json');
  await writeFile(file, JSON.stringify({ MY_NUM: 1, TEXT: planted }), { mode: 0o600 });
  const sent = await runCommand(Sync, ['--json'], world);
  expect(JSON.parse(sent.stdout)).toMatchObject({ dropped: ['MY_NUM'] });
  expect(sent.stderr).toContain('"MY_NUM"');
  const lines = await runCommand(Sync, ['--json-lines'], world);
  expect(lines.stdout).toContain('"type":"warning"');
  const diffed = await runCommand(Diff, [], world);
  expect(diffed.stderr, diffed.stdout).toContain('"MY_NUM"');
  const plan = await runCommand(Deploy, ['--plan', '--base', 'scratch', '--json'], world);
  expect(plan.stderr, plan.stdout).toContain('"MY_NUM"');
  expect(sent.stdout + sent.stderr + diffed.stderr + plan.stderr).not.toContain(planted);

  await writeFile(file, JSON.stringify({ jwt_secret: planted.slice(0, 8) }), { mode: 0o600 });
  for (const [CommandType, argv] of [
    [Sync, ['--json']],
    [Diff, ['--json']],
    [Deploy, ['--plan', '--base', 'scratch', '--json']],
  ] as const) {
    const refused = await runCommand(CommandType, argv, world);
    expect(JSON.parse(refused.stdout)).toMatchObject({
      error: { code: 'SP_PROFILE_SECRETS_INVALID', findings: [{ member: 'jwt_secret' }] },
    });
  }
});
