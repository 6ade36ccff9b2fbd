import { chmod, mkdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import Doctor from '../src/commands/cloud/doctor.ts';
import LocalLogs from '../src/commands/cloud/local/logs.ts';
import LocalReset from '../src/commands/cloud/local/reset.ts';
import { portFinding } from '../src/doctor/computer.ts';
import { runCommand } from './support/run-command.ts';
import { temporaryFolder } from './support/temporary-folder.ts';
import { keys, openTerminal } from './support/terminal.ts';
import { hello, makeProfile, makeWorld, planted } from './support/world.ts';

interface Result {
  readonly healthy: boolean;
  readonly findings: readonly { check: string; status: string; fixed?: boolean }[];
}

test('a healthy project, and a secret that others can read: found, and mended with --fix', async () => {
  const token = { registry: '127.0.0.1:1', repository: 'x', tag: 'y', username: 'u', token: planted };
  const world = await makeWorld({ [`GET /api/v1/tenants/${hello.id}/registry-token`]: { data: token } });
  await makeProfile(world.cwd, 'hello');
  const healthy = await runCommand(Doctor, ['--json'], world);
  const { findings } = JSON.parse(healthy.stdout) as Result;
  expect(findings.filter(({ status }) => status === 'problem')).toEqual([]);
  const checks = ['project', 'files', 'node', 'docker', 'ports', 'credentials', 'api', 'clock', 'registry', 'tenant'];
  expect(new Set(findings.map(({ check }) => check))).toEqual(new Set(checks));
  expect(healthy.stdout).not.toContain(planted);

  const secrets = join(world.cwd, '.systemprompt/profiles/hello/secrets.json');
  await chmod(secrets, 0o644);
  const open = await runCommand(Doctor, ['--json'], world);
  expect(open.exitCode).toBe(1);
  const mended = JSON.parse((await runCommand(Doctor, ['--fix', '--json'], world)).stdout) as Result;
  expect(mended.findings).toContainEqual(expect.objectContaining({ check: 'files', fixed: true }));
  expect((await stat(secrets)).mode & 0o777).toBe(0o600);
});

test('a port that the local cloud of this project has is no reason to warn', () => {
  const portOf = (free: boolean, apiUrl?: string): string => portFinding({ free, apiUrl }).status;
  expect(portOf(true)).toBe('ok');
  expect(portOf(false)).toBe('warning');
  expect(portOf(false, 'https://api.systemprompt.io')).toBe('warning');
  expect(portOf(false, 'http://127.0.0.1:7301')).toBe('warning');
  expect(portOf(false, 'http://127.0.0.1:7300')).toBe('ok');
  expect(portOf(false, 'http://localhost:7300/')).toBe('ok');
});

test('no project and nobody logged in: both are told, with what to do', async () => {
  const { stdout, exitCode } = await runCommand(Doctor, [], { cwd: await temporaryFolder() });
  expect(exitCode).toBe(1);
  expect(stdout).toContain('systemprompt cloud init');
  expect(stdout).toContain('systemprompt cloud auth login');
});

test('local logs shows the last lines; local reset deletes nothing that is no local cloud', async () => {
  const cwd = await temporaryFolder();
  await mkdir(join(cwd, 'data/logs'), { recursive: true });
  await writeFile(join(cwd, 'data/logs/server.log'), 'one\ntwo\nthree\n');
  const logs = await runCommand(LocalLogs, ['--data-dir', 'data', '--lines', '2', '--json'], { cwd });
  expect(JSON.parse(logs.stdout)).toMatchObject({ lines: ['two', 'three'] });
  expect((await runCommand(LocalReset, ['--data-dir', 'data'], { cwd })).exitCode).toBe(3);
  const reset = await runCommand(LocalReset, ['--data-dir', 'data', '--yes', '--json'], { cwd });
  expect(JSON.parse(reset.stdout)).toMatchObject({ removed: false });
  expect((await stat(join(cwd, 'data/logs/server.log'))).size).toBeGreaterThan(0);
});

test('Enter alone deletes no local cloud', async () => {
  const cwd = await temporaryFolder();
  await mkdir(join(cwd, 'data'));
  await writeFile(join(cwd, 'data/local-cloud.json'), '{}');
  const asked = openTerminal(['cloud', 'local', 'reset', '--data-dir', 'data'], { cwd });
  await asked.see('● No');
  asked.type(keys.enter);
  expect(await asked.ended(), asked.screen()).toBe(2);
  expect((await stat(join(cwd, 'data/local-cloud.json'))).size).toBe(2);
});
