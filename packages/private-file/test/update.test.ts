import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, expect, test } from 'vitest';
import { readPrivateFile, updatePrivateFile } from '../src/index.ts';
import { tempDir } from './temp-dir.ts';

const run = promisify(execFile);
const packageDirectory = fileURLToPath(new URL('..', import.meta.url));
// A build of its own, so that a `pnpm run build` next door cannot empty `dist` under the children; inside the package,
// so that its dependencies resolve.
const buildDirectory = join(packageDirectory, 'node_modules', '.test-build');
const entry = pathToFileURL(join(buildDirectory, 'index.js')).href;
const fixture = (name: string): string => fileURLToPath(new URL(`fixtures/${name}.mjs`, import.meta.url));

beforeAll(async () => {
  const tsup = join(packageDirectory, '..', '..', 'node_modules', 'tsup', 'dist', 'cli-default.js');
  await run(process.execPath, [tsup, '--out-dir', buildDirectory], { cwd: packageDirectory });
});

test('of 20 processes that each add a line none is lost', async () => {
  const directory = await tempDir();
  const path = join(directory, 'lines');
  const lines = Array.from({ length: 20 }, (_, index) => `line ${index}`);
  await Promise.all(lines.map((line) => run(process.execPath, [fixture('append-line'), entry, path, line])));
  const text = (await readPrivateFile(path)) ?? '';
  expect(text.split('\n').sort()).toEqual(['', ...lines].sort());
  expect((await readdir(directory)).sort()).toEqual(['.gitignore', 'lines']);
});

test('of 20 updates at once in one process none is lost', async () => {
  const path = join(await tempDir(), 'count');
  await Promise.all(Array.from({ length: 20 }, () => updatePrivateFile(path, (text) => String(Number(text ?? 0) + 1))));
  expect(await readPrivateFile(path)).toBe('20');
});

test('the lock of a killed process blocks until it is stale, and is then taken over', async () => {
  const path = join(await tempDir(), 'file');
  await writeFile(path, 'before', { mode: 0o600 });
  const child = spawn(process.execPath, [fixture('die-while-updating'), entry, path], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  child.kill('SIGKILL');
  await once(child, 'exit');

  const blocked = updatePrivateFile(path, () => 'blocked', { lockTimeoutMs: 100 });
  await expect(blocked).rejects.toMatchObject({ code: 'SP_FILE_LOCKED', path });
  expect(await readFile(path, 'utf8')).toBe('before');

  const longAgo = new Date(Date.now() - 60_000);
  await utimes(`${path}.lock`, longAgo, longAgo);
  await updatePrivateFile(path, (text) => `${text} and after`);
  expect(await readFile(path, 'utf8')).toBe('before and after');
});

test('waiting for the lock can be aborted', async () => {
  const path = join(await tempDir(), 'file');
  const controller = new AbortController();
  await updatePrivateFile(path, async () => {
    const second = updatePrivateFile(path, () => 'second', { signal: controller.signal });
    controller.abort();
    await expect(second).rejects.toMatchObject({ code: 'SP_FILE_ABORTED', path });
    return 'first';
  });
  expect(await readPrivateFile(path)).toBe('first');
});

test('aborting during the update leaves the file as it was', async () => {
  const path = join(await tempDir(), 'file');
  await writeFile(path, 'before', { mode: 0o600 });
  const controller = new AbortController();
  const update = (): string => {
    controller.abort();
    return 'after';
  };
  await expect(updatePrivateFile(path, update, { signal: controller.signal })).rejects.toMatchObject({
    code: 'SP_FILE_ABORTED',
  });
  expect(await readFile(path, 'utf8')).toBe('before');
});

test('what the update throws comes out, the file stays, and the lock is free again', async () => {
  const path = join(await tempDir(), 'file');
  await updatePrivateFile(path, (text) => `${text}`);
  expect(await readPrivateFile(path)).toBe('undefined');
  const failure = new Error('no');
  await expect(updatePrivateFile(path, () => Promise.reject(failure))).rejects.toBe(failure);
  await updatePrivateFile(path, (text) => `${text}!`, { lockTimeoutMs: 0 });
  expect(await readPrivateFile(path)).toBe('undefined!');
});
