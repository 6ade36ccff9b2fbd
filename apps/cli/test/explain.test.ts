import { expect, test } from 'vitest';
import { advice } from '../src/advice.ts';
import Explain from '../src/commands/cloud/explain.ts';
import { runCommand } from './support/run-command.ts';
import { temporaryFolder } from './support/temporary-folder.ts';

test('explain knows every code, one code with its troubles, and no other', async () => {
  const cwd = await temporaryFolder();
  const all = JSON.parse((await runCommand(Explain, ['--json'], { cwd })).stdout) as { codes: { code: string }[] };
  expect(all.codes.map(({ code }) => code)).toEqual(Object.keys(advice));
  const one = await runCommand(Explain, ['sp_deploy_unhealthy', '--json'], { cwd });
  expect(JSON.parse(one.stdout)).toMatchObject({
    codes: [{ code: 'SP_DEPLOY_UNHEALTHY', exit_code: 1, meaning: 'failed' }],
    troubles: expect.arrayContaining([{ ...anyTrouble, remedy: expect.stringContaining('--memory 512') }]),
  });
  const none = await runCommand(Explain, ['SP_NOTHING', '--json'], { cwd });
  expect(none.exitCode).toBe(5);
  expect(JSON.parse(none.stdout)).toMatchObject({ error: { code: 'SP_CLI_CODE_NOT_FOUND' } });
});

const anyTrouble = { trouble: expect.any(String), codes: expect.any(Array) };
