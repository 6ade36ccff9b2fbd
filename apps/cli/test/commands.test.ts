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

test('every command says what it does to the world, has --json, and a variable for every flag', async () => {
  const { commands, ...rest } = await list();
  expect(rest).toMatchObject({ exit_codes: { ok: 0, interrupted: 130 } });
  for (const { command, summary, flags, effects } of commands) {
    expect(effects, command).toBeDefined();
    expect(summary, command).not.toBe('');
    expect(flags.map(({ flag }) => flag)).toContain('--json');
    const unnamed = flags.filter(({ flag, env }) => env === undefined && flag !== '--json' && flag !== '--token');
    expect(unnamed, command).toEqual([]);
  }
});
