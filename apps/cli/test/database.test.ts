import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { upsertTenant } from '@sp/tenants';
import { expect, test } from 'vitest';
import Backup from '../src/commands/cloud/db/backup.ts';
import Clone from '../src/commands/cloud/db/clone.ts';
import Proxy from '../src/commands/cloud/db/proxy.ts';
import Query from '../src/commands/cloud/db/query.ts';
import Restore from '../src/commands/cloud/db/restore.ts';
import Shell from '../src/commands/cloud/db/shell.ts';
import Tables from '../src/commands/cloud/db/tables.ts';
import Url from '../src/commands/cloud/db/url.ts';
import { runCommand } from './support/run-command.ts';
import { temporaryFolder } from './support/temporary-folder.ts';

const password = 'planted-password-4c1b';

/** A project with a database that nobody answers for, one whose password it does not know, and one it knows nothing of. */
async function makeProject(): Promise<{ readonly cwd: string; readonly env: Record<string, string> }> {
  const cwd = await temporaryFolder();
  await mkdir(join(cwd, '.systemprompt'));
  const path = join(cwd, '.systemprompt/tenants.json');
  const tenant = { tenantType: 'cloud', externalDbAccess: true } as const;
  const urls = {
    silent: `postgresql://u:${password}@127.0.0.1:1/d`,
    masked: 'postgresql://u:***@127.0.0.1:1/d',
    nothing: undefined,
  };
  for (const [name, databaseUrl] of Object.entries(urls)) {
    await upsertTenant(path, { id: name, name, ...tenant, databaseUrl, internalDatabaseUrl: databaseUrl });
  }
  await writeFile(join(cwd, 'some.sql'), 'select 1;\n');
  return { cwd, env: {} };
}

const commands = [
  { CommandType: Backup, argv: [] },
  { CommandType: Clone, argv: ['--to', 'silent'] },
  { CommandType: Proxy, argv: [], lines: true },
  { CommandType: Query, argv: ['select 1'] },
  { CommandType: Restore, argv: ['some.sql'] },
  { CommandType: Tables, argv: [] },
  { CommandType: Url, argv: [] },
] as const;

test.each(commands)('$CommandType.name: which database is meant, and what if it is not known', async (command) => {
  const world = await makeProject();
  const run = async (
    ...more: string[]
  ): Promise<{ exitCode: number; error: Record<string, unknown>; text: string }> => {
    const argv = [...command.argv, ...more, 'lines' in command ? '--json-lines' : '--json'];
    const { stdout, stderr, exitCode } = await runCommand(command.CommandType, argv, world);
    const last = 'lines' in command ? (stdout.trimEnd().split('\n').at(-1) ?? '') : stdout;
    const { error = {} } = JSON.parse(last) as { error?: Record<string, unknown> };
    return { exitCode, error, text: stdout + stderr };
  };
  const which = await run();
  expect(which.error).toMatchObject({ code: 'SP_CLI_INPUT_NEEDED', action_required: true });
  expect(which.exitCode).toBe(3);
  expect(which.error['next']).toHaveLength(3);
  expect(await run('--tenant', 'masked')).toMatchObject({ error: { code: 'SP_CLI_DATABASE_UNKNOWN' } });
  expect(await run('--tenant', 'nothing')).toMatchObject({ error: { code: 'SP_CLI_DATABASE_UNKNOWN' } });
  expect(await run('--tenant', 'nobody')).toMatchObject({ exitCode: 5, error: { code: 'SP_CLI_TENANT_NOT_FOUND' } });
  expect(await run('--profile', 'nobody')).toMatchObject({ exitCode: 5, error: { code: 'SP_CLI_PROFILE_NOT_FOUND' } });
  // An open port answers when it is closed.
  if (!('lines' in command)) expect((await run('--tenant', 'silent')).text).not.toContain(password);
  const elsewhere = { cwd: await temporaryFolder() };
  expect((await runCommand(command.CommandType, [...command.argv], elsewhere)).stderr).toContain('SP_CLI_NO_PROJECT');
});

test('a server that does not answer is 12, and a command line that makes no sense 2', async () => {
  const world = await makeProject();
  for (const [CommandType, argv] of [
    [Query, ['select 1', '--tenant', 'silent']],
    [Tables, ['--tenant', 'silent']],
  ] as const) {
    const { stdout, exitCode } = await runCommand(CommandType, [...argv, '--json'], world);
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: 'SP_DATABASE_UNREACHABLE' } });
    expect(exitCode).toBe(12);
  }
  const exitCodeOf = async (CommandType: Parameters<typeof runCommand>[0], argv: readonly string[]): Promise<number> =>
    (await runCommand(CommandType, argv, world)).exitCode;
  expect(await exitCodeOf(Shell, ['--tenant', 'silent', '--json'])).toBe(2);
  expect(await exitCodeOf(Proxy, ['--tenant', 'silent', '--json'])).toBe(2);
  expect(await exitCodeOf(Clone, ['--tenant', 'silent', '--to', 'silent', '--json'])).toBe(2);
  expect(await exitCodeOf(Query, ['  ', '--tenant', 'silent', '--json'])).toBe(2);
  expect(await exitCodeOf(Restore, ['none.sql', '--tenant', 'silent', '--json'])).toBe(5);
});
