import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { renderConfigurationTable } from '../src/configuration/describe-configuration.ts';
import { createMetrics } from '../src/metrics/metrics.ts';
import type { Store } from '../src/store/database.ts';
import { runProgram } from './operator-program.ts';

const root = new URL('../../../', import.meta.url);
const text = await readFile(new URL('docs/operating.md', root), 'utf8');

test('the table of variables is that of the program', () => {
  const [, table] = /<!-- configuration -->\n([\s\S]*?)\n<!-- \/configuration -->/.exec(text) ?? [];
  // To bring it up to date: sp-management-api config --markdown
  expect(table).toBe(renderConfigurationTable());
});

test('every command of the program that the runbook names is understood', async () => {
  const named = [...text.matchAll(/(?:^ *|`)(sp-management-api [^`\n]+)/gm)].map(([, line = '']) => line.trim());
  const lines = [...new Set(named)];
  expect(lines.length).toBeGreaterThan(8);
  // Without a configuration a command that is understood says so, and one that is not says how it is used.
  const ended = await Promise.all(lines.map((line) => runProgram([...line.split(' ').slice(1), '--json'], {})));
  for (const [at, line] of lines.entries()) {
    const { code, stdout = '', stderr = '' } = ended[at] ?? {};
    if (/ config(?! --check)/.test(line)) expect(code, line).toBe(0);
    // Needs what the sentence leaves out.
    else if (line.endsWith(' create-token')) expect(stdout, line).toContain('Missing required arguments');
    else expect(stdout, `${line}: ${stderr}`).toContain('SP_CONFIGURATION_INVALID');
  }
});

test('every command of the command line that it names is there', () => {
  const commands = [...text.matchAll(/`systemprompt ([a-z -]+)`/g)].map(([, words = '']) => words.split(' ').join('/'));
  expect(commands.length).toBeGreaterThan(2);
  for (const path of commands) expect(existsSync(new URL(`apps/cli/src/commands/${path}.ts`, root)), path).toBe(true);
});

test('its shell is shell, and its links lead somewhere', () => {
  for (const [, block = ''] of text.matchAll(/^ *```sh\n([\s\S]*?)^ *```$/gm)) {
    const { status, stderr } = spawnSync('bash', ['-n'], { input: block, encoding: 'utf8' });
    expect([status, stderr], block).toEqual([0, '']);
  }
  const anchors = [...text.matchAll(/^## (.+)$/gm)].map(([, title = '']) => title.toLowerCase().replaceAll(' ', '-'));
  for (const [, anchor] of text.matchAll(/\]\(#([^)]+)\)/g)) expect(anchors).toContain(anchor);
});

test('its alerts are about metrics that there are', async () => {
  const store = { pool: { totalCount: 0, idleCount: 0, waitingCount: 0 } } as Store;
  const { body } = await createMetrics({ store }).render();
  const known = [...body.matchAll(/^# TYPE (\w+)/gm)].map(([, name]) => name);
  const used = [...text.matchAll(/\bsp_[a-z_]+(?=[{[])/g)].map(([name]) => name.replace(/_(count|bucket|sum)$/, ''));
  expect(used.length).toBeGreaterThan(5);
  for (const name of used) expect(known).toContain(name);
});
