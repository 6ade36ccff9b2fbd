import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { spawn } from '@lydell/node-pty';
import { upsertTenant } from '@sp/tenants';
import { expect, onTestFinished, test, vi } from 'vitest';
import Completion from '../src/commands/completion.ts';
import { shellOf, shells } from '../src/completion/scripts.ts';
import { binaryPath, runBinary } from './support/run-binary.ts';
import { runCommand } from './support/run-command.ts';
import { temporaryFolder } from './support/temporary-folder.ts';
import { hello, makeProfile, makeWorld } from './support/world.ts';

const run = promisify(execFile);
const isInstalled = (shell: string): Promise<boolean> =>
  run(shell, ['--version']).then(
    () => true,
    () => false,
  );

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
  expect(await complete('cloud', 'auth', 'login', '--environment', '')).toEqual(['production', 'sandbox', 'local']);
  expect(await complete('cloud', 'auth', 'login', 's')).toEqual(['sandbox']);
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
  expect(await complete('cloud', 'profile', 'show', '--')).toEqual(['--json', '--json-lines', '--non-interactive']);
  expect(await complete('cloud', 'deploy', '--builder=o')).toEqual(['--builder=oci']);
  expect(await complete('cloud', 'deploy', '--builder', '=', 'o')).toEqual(['oci']);
  expect(await complete('cloud', 'deploy', '--builder', '=')).toEqual(['auto', 'oci', 'docker']);
  expect(await complete('cloud', 'deploy', '--builder=oci', '--bu')).toEqual([]);
});

/** A folder of programs with `systemprompt`, and the script of a shell in it. */
async function install(shell: string, cwd: string): Promise<{ bin: string; script: string; PATH: string }> {
  const bin = await temporaryFolder();
  await writeFile(join(bin, 'systemprompt'), `#!/bin/sh\nexec "${process.execPath}" "${binaryPath}" "$@"\n`, {
    mode: 0o755,
  });
  const { stdout } = await runBinary(['completion', shell], { cwd });
  const script = join(bin, '_systemprompt');
  await writeFile(script, stdout);
  return { bin, script, PATH: `${bin}:${process.env['PATH']}` };
}

test('bash completes with the script', async () => {
  const cwd = await makeProject();
  const { script, PATH } = await install('bash', cwd);
  const program = `source "$SCRIPT"
COMP_WORDS=(systemprompt cloud tenant show he); COMP_CWORD=4
_systemprompt; printf '%s\\n' "\${COMPREPLY[@]}"
COMP_WORDS=(systemprompt cloud deploy --builder = o); COMP_CWORD=5
_systemprompt; printf '%s\\n' "\${COMPREPLY[@]}"
COMP_WORDS=(systemprompt cloud secrets ''); COMP_CWORD=3
_systemprompt; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout } = await run('bash', ['-c', program], { cwd, env: { PATH, HOME: cwd, SCRIPT: script } });
  expect(stdout.split('\n')).toEqual(expect.arrayContaining(['hello', 'oci', 'diff', 'export', 'list', 'set']));
});

test.runIf(await isInstalled('fish'))('fish completes with the script', async () => {
  const cwd = await makeProject();
  const { script, PATH } = await install('fish', cwd);
  const complete = async (line: string): Promise<string[]> => {
    const program = `source "${script}"; complete -C ${JSON.stringify(line)}`;
    const { stdout } = await run('fish', ['--no-config', '-c', program], { cwd, env: { PATH, HOME: cwd } });
    return stdout.split('\n').flatMap((found) => found.split('\t')[0] || []);
  };
  expect(await complete('systemprompt cloud tenant show he')).toEqual(['hello']);
  expect(await complete('systemprompt cloud deploy --builder=o')).toEqual(['--builder=oci']);
});

test.runIf(await isInstalled('zsh'))('zsh completes with the script, at the first Tab too', async () => {
  const cwd = await makeProject();
  const { bin, PATH } = await install('zsh', cwd);
  const shell = spawn('zsh', ['-f', '-i'], { cwd, env: { PATH, HOME: cwd, TERM: 'dumb', PS1: 'ready> ' } });
  onTestFinished(() => shell.kill('SIGKILL'));
  let written = '';
  shell.onData((data) => (written += data));
  const see = (text: string): Promise<void> => vi.waitFor(() => expect(written).toContain(text), { timeout: 45_000 });
  shell.write(`fpath=("${bin}" $fpath); autoload -Uz compinit; compinit -u -D; echo set up\r`);
  await see('\nset up');
  shell.write('systemprompt cloud dep\t');
  await see('cloud deploy ');
  shell.write('--builder=o\t');
  await see('--builder=oci');
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
