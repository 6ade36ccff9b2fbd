import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { wantsUpdateNotice } from '../src/presentation.ts';
import { decideUpdate, isNewer } from '../src/update/update-notice.ts';
import { runBinary } from './support/run-binary.ts';
import { temporaryFolder } from './support/temporary-folder.ts';
import { openTerminal } from './support/terminal.ts';

/** A registry in which 99.0.0 of everything is the latest. */
async function startRegistry(): Promise<{ url: string; asked: string[] }> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    response.end(JSON.stringify({ name: '@sp/cli', version: '99.0.0' }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

const command = ['cloud', 'local', 'status'];

test('on a terminal the registry is asked in the background, and the answer told once a day', async () => {
  const registry = await startRegistry();
  const cwd = await temporaryFolder();
  const env = { npm_config_registry: registry.url };
  const run = async (): Promise<string> => {
    const session = openTerminal(command, { cwd, env, columns: 120 });
    expect(await session.ended()).toBe(0);
    return session.screen();
  };
  expect(await run()).toBe('No local cloud is running');
  const path = join(cwd, '.cache/systemprompt/update.json');
  await vi.waitFor(async () => expect(JSON.parse(await readFile(path, 'utf8'))).toMatchObject({ latest: '99.0.0' }), {
    timeout: 90_000,
  });
  expect(await run()).toMatch(/@sp\/cli 99\.0\.0 is out \(this is \d+\.\d+\.\d+\): npm install --global @sp\/cli/);
  expect(await run()).toBe('No local cloud is running');
  expect(registry.asked).toEqual(['GET /@sp%2fcli/latest']);
});

test('not in CI, with --json, without a terminal, or when it is switched off', async () => {
  const registry = await startRegistry();
  const cwd = await temporaryFolder();
  const known = join(cwd, '.cache/systemprompt/update.json');
  await mkdir(join(cwd, '.cache/systemprompt'), { recursive: true });
  await writeFile(known, JSON.stringify({ latest: '99.0.0' }));
  const env = { npm_config_registry: registry.url };
  for (const [args, extra] of [
    [command, { CI: '1' }],
    [[...command, '--json'], {}],
    [command, { SYSTEMPROMPT_NO_UPDATE_NOTICE: '1' }],
    [command, { NO_UPDATE_NOTIFIER: '1' }],
  ] as const) {
    const session = openTerminal(args, { cwd, env: { ...env, ...extra } });
    expect(await session.ended()).toBe(0);
    expect(session.screen()).not.toContain('99.0.0');
  }
  expect((await runBinary(command, { cwd, env })).stderr).toBe('');
  expect(JSON.parse(await readFile(known, 'utf8'))).toEqual({ latest: '99.0.0' });
  expect(registry.asked).toEqual([]);
  expect(wantsUpdateNotice({ env: {}, terminal: true, json: false })).toBe(true);
});

test('a broken cache is no obstacle, and a clock that was set back does not silence it for ever', async () => {
  const cwd = await temporaryFolder();
  await mkdir(join(cwd, '.cache'), { recursive: true });
  await writeFile(join(cwd, '.cache/systemprompt'), 'in the way');
  const session = openTerminal(command, { cwd });
  expect(await session.ended()).toBe(0);
  expect(session.screen()).toBe('No local cloud is running');
  const now = 1_000_000_000_000;
  const at = { current: '1.0.0', now };
  expect(decideUpdate({}, at)).toEqual({ tell: undefined, look: true });
  expect(decideUpdate({ latest: '1.0.1', checkedAt: now - 1 }, at)).toEqual({ tell: '1.0.1', look: false });
  expect(decideUpdate({ latest: '1.0.1', notifiedAt: now - 1, checkedAt: now + 5 }, at)).toEqual({
    tell: undefined,
    look: true,
  });
});

test.each([
  ['1.10.0', '1.9.9', true],
  ['1.0.0', '1.0.0', false],
  ['0.9.9', '1.0.0', false],
  ['2.0.0-beta.1', '1.0.0', false],
  ['nonsense', '1.0.0', false],
])('%s is newer than %s: %s', (a, b, newer) => {
  expect(isNewer(a, b)).toBe(newer);
});
