import { existsSync, readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import type { CommandsResult } from '../src/commands/commands.ts';
import { runBinary } from './support/run-binary.ts';
import { temporaryFolder } from './support/temporary-folder.ts';

const snapshotPath = fileURLToPath(new URL('../command-snapshot.json', import.meta.url));

async function list(): Promise<CommandsResult> {
  const { stdout } = await runBinary(['commands', '--json'], { cwd: await temporaryFolder() });
  return JSON.parse(stdout) as CommandsResult;
}

test('commands and flags are those of the snapshot: a change needs a changeset, then UPDATE_SNAPSHOT=1', async () => {
  const { commands } = await list();
  const lines = commands.map(({ command, aliases, args, flags }) => ({
    command,
    aliases,
    args: args.map(({ name, required }) => (required ? name : `[${name}]`)),
    flags: flags.map(({ flag, env }) => (env === undefined ? flag : `${flag} ${env}`)),
  }));
  const text = `${JSON.stringify(lines, undefined, 2)}\n`;
  if (process.env['UPDATE_SNAPSHOT'] === '1') {
    const { writeFile } = await import('node:fs/promises');
    await writeFile(snapshotPath, text);
  }
  expect(lines).toEqual(JSON.parse(await readFile(snapshotPath, 'utf8')));
});

test('every command says what it does to the world, how it ends, and what it answers; every flag has a variable', async () => {
  const { commands, ...rest } = await list();
  expect(rest).toMatchObject({ exit_codes: { ok: 0, interrupted: 130 }, error_schema: 'schemas/error.json' });
  const json = commands as unknown as { command: string; exit_codes: number[]; schema: string }[];
  for (const { command, exit_codes: codes, schema } of json) {
    expect(codes, command).toEqual(expect.arrayContaining([0, 1, 2, 70, 130]));
    expect(existsSync(fileURLToPath(new URL(`../${schema}`, import.meta.url))), schema).toBe(true);
  }
  for (const { command, summary, description, flags, effects } of commands) {
    expect(Object.keys(effects ?? {}).toSorted(), command).toEqual(['cost', 'network', 'reversible', 'writes']);
    expect(summary, command).not.toBe('');
    expect(description, command).not.toBe('');
    const names = flags.map(({ flag }) => flag);
    expect(names, command).toEqual(expect.arrayContaining(['--json', '--json-lines', '--non-interactive']));
    expect(
      flags.filter(({ env }) => !/^SYSTEMPROMPT_[A-Z_]+$/.test(env ?? '')),
      command,
    ).toEqual([]);
    // Two flags of one command never share a variable.
    expect(new Set(flags.map(({ env }) => env)).size, command).toBe(flags.length);
  }
});

test('a flag can be given by its variable, and no argument is taken from stdin', async () => {
  const cwd = await temporaryFolder();
  const env = { SYSTEMPROMPT_LOG_LINES: '0' };
  const { stdout, exitCode } = await runBinary(['cloud', 'local', 'logs', '--json'], { cwd, env });
  expect(exitCode, stdout).toBe(2);
  const folder = fileURLToPath(new URL('../src/commands', import.meta.url));
  for (const file of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    if (!file.endsWith('.ts')) continue;
    const { default: Command } = (await import(`${folder}/${file}`)) as {
      default: { args?: Record<string, { ignoreStdin?: boolean }> };
    };
    for (const [name, { ignoreStdin }] of Object.entries(Command.args ?? {})) {
      expect(ignoreStdin, `${file} ${name}`).toBe(true);
    }
  }
});
