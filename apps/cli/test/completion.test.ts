import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { upsertTenant } from '@sp/tenants';
import { expect, test } from 'vitest';
import Completion from '../src/commands/completion.ts';
import { shellOf, shells } from '../src/completion/scripts.ts';
import { binaryPath, runBinary } from './support/run-binary.ts';
import { runCommand } from './support/run-command.ts';
import { temporaryFolder } from './support/temporary-folder.ts';
import { hello, makeProfile, makeWorld } from './support/world.ts';

async function makeProject(): Promise<string> {
  const { cwd } = await makeWorld();
  const tenant = { id: hello.id, name: 'hello', tenantType: 'cloud', externalDbAccess: false } as const;
  await upsertTenant(join(cwd, '.systemprompt/tenants.json'), tenant);
  await makeProfile(cwd, 'production');
  return cwd;
}

test('candidates: commands, flags, values, and the names of the project', async () => {
  const cwd = await makeProject();
  const complete = async (...words: string[]): Promise<readonly string[]> => {
    const { stdout, stderr, exitCode } = await runBinary(['complete', '--', ...words], { cwd });
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    return stdout.split('\n').flatMap((line) => (line === '' ? [] : (line.split('\t')[0] ?? '')));
  };
  expect(await complete('')).toEqual(['cloud', 'commands', 'completion']);
  expect(await complete('cloud', 'tenant', 's')).toEqual(['select', 'show']);
  expect(await complete('cloud', 'deploy', '--bu')).toEqual(['--builder']);
  expect(await complete('cloud', 'deploy', '--builder', '')).toEqual(['auto', 'oci', 'docker']);
  expect(await complete('cloud', 'deploy', '--profile', '')).toEqual(['production']);
  expect(await complete('cloud', 'deploy', '-p', 'pr')).toEqual(['production']);
  for (const command of ['backup', 'clone', 'proxy', 'query', 'restore', 'shell', 'tables', 'url']) {
    expect(await complete('cloud', 'db', command, '--profile', ''), command).toEqual(['production']);
  }
  for (const command of ['down', 'status', 'undo', 'up']) {
    expect(await complete('cloud', 'sync', command, '-p', ''), command).toEqual(['production']);
    expect(await complete('cloud', 'sync', command, '--tenant', ''), command).toEqual(['hello']);
  }
  expect(await complete('cloud', 'db', 'clone', '--to', '')).toEqual(['production', 'hello']);
  // Its argument is a sync, which nobody can list.
  expect(await complete('cloud', 'sync', 'undo', '')).toEqual([]);
  expect(await complete('cloud', 'tenant', 'create', '--database', '')).toEqual(['docker', 'embedded', 'external']);
  expect(await complete('cloud', 'deploy', '--yes', '--y')).toEqual([]);
  expect(await complete('cloud', 'tenant', 'show', 'h')).toEqual(['hello']);
  expect(await complete('cloud', 'explain', 'SP_DEPLOY_UNH')).toEqual(['SP_DEPLOY_UNHEALTHY']);
  expect(await complete('cloud', 'deploy', '--help')).toEqual([]);
  expect(await complete('nothing', '')).toEqual([]);
});

test('bash completes with the script', async () => {
  const cwd = await makeProject();
  const bin = await temporaryFolder();
  await writeFile(join(bin, 'systemprompt'), `#!/bin/sh\nexec "${process.execPath}" "${binaryPath}" "$@"\n`, {
    mode: 0o755,
  });
  const { stdout: script } = await runBinary(['completion', 'bash'], { cwd });
  await writeFile(join(bin, 'script'), script);
  const program = `source "$SCRIPT"
COMP_WORDS=(systemprompt cloud tenant show he); COMP_CWORD=4
_systemprompt; printf '%s\\n' "\${COMPREPLY[@]}"
COMP_WORDS=(systemprompt cloud secrets ''); COMP_CWORD=3
_systemprompt; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const env = { PATH: `${bin}:${process.env['PATH']}`, HOME: cwd, SCRIPT: join(bin, 'script') };
  const { stdout } = await promisify(execFile)('bash', ['-c', program], { cwd, env });
  expect(stdout.split('\n')).toEqual(expect.arrayContaining(['hello', 'diff', 'export', 'list', 'set']));
});

test('the script for PowerShell is whole, and what it passes for an empty word is one', async () => {
  const cwd = await makeProject();
  const { stdout: script } = await runBinary(['completion', 'powershell'], { cwd });
  // No PowerShell is at hand: what would break the script is looked for in its text.
  const texts = /'(?:[^']|'')*'|"(?:[^"`]|`.)*"/g;
  expect(script.match(texts)).toContain('\'""\'');
  const code = script.replaceAll(texts, '');
  expect(code).not.toMatch(/["'`]/);
  const open: string[] = [];
  for (const sign of code.match(/[(){}[\]]/g) ?? []) {
    if ('({['.includes(sign)) open.push(sign);
    else expect(`${open.pop()}${sign}`).toMatch(/^(\(\)|\{\}|\[\])$/);
  }
  expect(open).toEqual([]);
  // Each variable is given before it is read.
  const given = ['wordToComplete', 'commandAst', 'cursorPosition', 'words', '_', 'null', 'value', 'description'];
  for (const [, name = ''] of script.matchAll(/\$(\w+)/g)) expect(given).toContain(name);
  const { stdout } = await runBinary(['complete', '--', 'cloud', 'tenant', 'show', '""'], { cwd });
  expect(stdout).toMatch(/^hello(\t.*)?\n/);
});

test('each shell has a script that asks the program; without a shell: exit code 3', async () => {
  const cwd = await temporaryFolder();
  for (const shell of shells) {
    const { stdout } = await runCommand(Completion, [shell, '--json'], { cwd });
    expect(JSON.parse(stdout)).toMatchObject({ shell, script: expect.stringContaining('systemprompt complete ') });
  }
  expect(shellOf({ SHELL: '/usr/bin/zsh' })).toBe('zsh');
  expect(shellOf({ SHELL: 'C:\\Program Files\\Git\\bin\\bash.exe' })).toBe('bash');
  expect((await runCommand(Completion, ['--json'], { cwd, env: { SHELL: '/bin/tcsh' } })).exitCode).toBe(3);
  expect((await runCommand(Completion, ['tcsh', '--json'], { cwd })).exitCode).toBe(2);
});
