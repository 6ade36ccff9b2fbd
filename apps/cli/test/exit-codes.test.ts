import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { advice } from '../src/advice.ts';
import { exitCodes } from '../src/index.ts';

test('exit codes are what scripts depend on', () => {
  expect(exitCodes).toEqual({
    ok: 0,
    failed: 1,
    usage: 2,
    inputNeeded: 3,
    notLoggedIn: 4,
    notFound: 5,
    conflict: 6,
    forbidden: 7,
    pending: 8,
    changesPending: 9,
    rolledBack: 10,
    partlyDone: 11,
    network: 12,
    bug: 70,
    interrupted: 130,
  });
});

test('no error ends with 0, and advice is about commands that exist', async () => {
  for (const [code, { exitCode, suggestions }] of Object.entries(advice)) {
    expect(exitCode, code).not.toBe(exitCodes.ok);
    for (const suggestion of suggestions) {
      const [, command] = /systemprompt ((?:cloud|help)(?: [a-z][a-z-]*)*)/.exec(suggestion) ?? [];
      if (command !== undefined) expect(commandLines, `${code}: ${suggestion}`).toContain(command.trim());
    }
  }
});

/** Every command by its words; the files are the commands. */
const commandLines = [
  'help',
  ...readdirSync(fileURLToPath(new URL('../src/commands', import.meta.url)), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => file.replace(/\.ts$/, '').replaceAll('/', ' ')),
];
