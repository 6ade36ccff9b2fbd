import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import Init from '../src/commands/cloud/init.ts';
import { runCommand } from './support/run-command.ts';
import { temporaryFolder } from './support/temporary-folder.ts';

test('init makes a project, says so, and changes nothing the second time', async () => {
  const cwd = await temporaryFolder();
  const first = await runCommand(Init, [], { cwd });
  expect(first).toMatchObject({ exitCode: 0, stderr: '' });
  expect(first.stdout).toContain('created   services/config/config.yaml');
  expect(await readFile(join(cwd, '.systemprompt/.gitignore'), 'utf8')).toContain(
    '\ncredentials.json\ntenants.json\nselection.json\ncheckout.json\nunfinished_tenants.json*\n**/secrets.json\n',
  );
  expect(await readFile(join(cwd, '.systemprompt/.dockerignore'), 'utf8')).toContain(
    '\n.systemprompt/**/secrets.json\n',
  );

  const again = JSON.parse((await runCommand(Init, ['--json'], { cwd })).stdout) as object;
  expect(again).toMatchObject({ root: cwd, created: [], replaced: [] });
});

test('what people wrote survives; --force brings back only the files of init', async () => {
  const cwd = await temporaryFolder();
  await runCommand(Init, [], { cwd });
  await writeFile(join(cwd, 'services/config/config.yaml'), 'mine: true\n');
  await writeFile(join(cwd, 'services/agents/own.yaml'), 'own: true\n');
  await runCommand(Init, [], { cwd });
  expect(await readFile(join(cwd, 'services/config/config.yaml'), 'utf8')).toBe('mine: true\n');

  const forced = await runCommand(Init, ['--force', '--json'], { cwd });
  expect(JSON.parse(forced.stdout)).toMatchObject({ replaced: ['services/config/config.yaml'] });
  expect(await readFile(join(cwd, 'services/agents/own.yaml'), 'utf8')).toBe('own: true\n');
});
