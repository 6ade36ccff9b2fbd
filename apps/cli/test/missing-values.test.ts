import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { makeProfileIn } from './support/make-profile.ts';
import { runBinary } from './support/run-binary.ts';
import { temporaryFolder } from './support/temporary-folder.ts';
import { keys, openTerminal } from './support/terminal.ts';

const secrets = { password: 'planted-password', anthropic: 'planted-key' };

test.each([
  ['cloud profile create', 'NAME', 'cloud profile create NAME'],
  ['cloud domain set --tenant q1', 'DOMAIN', 'cloud domain set DOMAIN --tenant q1'],
  ['cloud db query --profile hello', 'SQL', 'cloud db query SQL --profile hello'],
  ['cloud db restore --replace', 'FILE', 'cloud db restore FILE --replace'],
  ['cloud secrets import', 'FILE', 'cloud secrets import FILE'],
  ['cloud db clone --profile hello', '--to', 'cloud db clone --to NAME --profile hello'],
  ['cloud secrets set --tenant q1', 'KEY', 'cloud secrets set --tenant q1 KEY'],
  ['cloud secrets unset', 'KEY', 'cloud secrets unset KEY'],
])('%s: nobody can be asked for %s', async (line, missing, next) => {
  const cwd = await temporaryFolder();
  await makeProfileIn(cwd, secrets);
  const { stdout, exitCode } = await runBinary([...line.split(' '), '--json'], { cwd });
  expect(exitCode).toBe(3);
  expect(JSON.parse(stdout)).toMatchObject({
    error: {
      code: 'SP_CLI_INPUT_NEEDED',
      action_required: true,
      message: expect.stringContaining(missing),
      flags: [missing],
      next: [`systemprompt ${next}`],
    },
  });
  const text = await runBinary(line.split(' '), { cwd });
  expect(text.stderr).toMatch(/^✗ `systemprompt cloud [a-z ]+` needs .+\n {2}Give what/);
});

test.each([
  ['cloud db query', 'SQL: One statement', 'select 1'],
  ['cloud domain set', 'DOMAIN: Such as', 'app.example.com'],
  ['cloud db clone', '--to: Name of the profile', 'staging'],
  ['cloud secrets unset', 'Name of the secret', 'LOG_LEVEL'],
])('%s asks for what is missing, and goes on with it', async (line, question, answer) => {
  const session = openTerminal(line.split(' '), { cwd: await temporaryFolder() });
  await session.see(question);
  session.type(`${answer}${keys.enter}`);
  expect(await session.ended(), session.screen()).toBe(5);
  expect(session.screen()).toContain('SP_CLI_NO_PROJECT');
});

test('the only profile is not deleted without being named', async () => {
  const cwd = await temporaryFolder();
  await makeProfileIn(cwd, secrets);
  const folder = join(cwd, '.systemprompt/profiles/hello');
  const { stdout, exitCode } = await runBinary(['cloud', 'profile', 'delete', '--yes', '--json'], { cwd });
  expect(exitCode).toBe(3);
  expect(JSON.parse(stdout)).toMatchObject({
    error: { code: 'SP_CLI_INPUT_NEEDED', next: [expect.stringContaining('profile delete')], available: ['hello'] },
  });
  expect(existsSync(folder)).toBe(true);

  const session = openTerminal(['cloud', 'profile', 'delete'], { cwd });
  await session.see('Which profile?');
  session.type(keys.enter);
  await session.see(/Delete|delete/);
  session.type('y');
  expect(await session.ended(), session.screen()).toBe(0);
  expect(existsSync(folder)).toBe(false);
});
