import { expect, test } from 'vitest';
import { advice } from '../src/advice.ts';
import Explain from '../src/commands/cloud/explain.ts';
import { errorMeanings } from '../src/reference/error-meanings.ts';
import { runCommand } from './support/run-command.ts';
import { temporaryFolder } from './support/temporary-folder.ts';

test('explain knows every code, one code with its troubles, and no other', async () => {
  const cwd = await temporaryFolder();
  const all = JSON.parse((await runCommand(Explain, ['--json'], { cwd })).stdout) as { codes: { code: string }[] };
  expect(all.codes.map(({ code }) => code)).toEqual(Object.keys(advice));
  const one = await runCommand(Explain, ['sp_deploy_unhealthy', '--json'], { cwd });
  expect(JSON.parse(one.stdout)).toMatchObject({
    codes: [{ code: 'SP_DEPLOY_UNHEALTHY', exit_code: 1, meaning: expect.stringContaining('health check') }],
    troubles: expect.arrayContaining([{ ...anyTrouble, remedy: expect.stringContaining('--memory 512') }]),
  });
  // A way on for each, and one sentence that stands without a message beside it.
  for (const code of Object.keys(advice) as (keyof typeof advice)[]) {
    expect({ code, suggestions: advice[code].suggestions.length }).not.toEqual({ code, suggestions: 0 });
    expect(errorMeanings[code]).toMatch(/^[A-Z`.p].*[^.]\.$/);
  }
  const both = await runCommand(Explain, ['SP_DEPLOY_TENANT_NOT_READY'], { cwd });
  for (const exitCode of [8, 6]) expect(both.stdout).toContain(`exit code ${exitCode}`);
  const none = await runCommand(Explain, ['SP_NOTHING', '--json'], { cwd });
  expect(none.exitCode).toBe(5);
  expect(JSON.parse(none.stdout)).toMatchObject({ error: { code: 'SP_CLI_CODE_NOT_FOUND' } });
});

const anyTrouble = { trouble: expect.any(String), codes: expect.any(Array) };
