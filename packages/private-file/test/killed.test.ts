import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, expect, test } from 'vitest';
import { replacePrivateFile } from '../src/index.ts';
import { permissions, tempDir } from './temp-dir.ts';

const packageDirectory = fileURLToPath(new URL('..', import.meta.url));
const buildDirectory = join(packageDirectory, 'node_modules', '.test-build-killed');
const entry = pathToFileURL(join(buildDirectory, 'index.js')).href;
const fixture = fileURLToPath(new URL('fixtures/replace-for-ever.mjs', import.meta.url));

beforeAll(async () => {
  const tsup = join(packageDirectory, '..', '..', 'node_modules', 'tsup', 'dist', 'cli-default.js');
  await promisify(execFile)(process.execPath, [tsup, '--out-dir', buildDirectory], { cwd: packageDirectory });
});

test('a process that is killed at any moment of a save leaves the old text or the new one, for its owner only', async () => {
  const path = join(await tempDir(), 'file');
  const texts = ['a', 'b'].map((letter) => letter.repeat(1_000_000));
  await replacePrivateFile(path, texts[0] ?? '');
  for (let round = 0; round < 15; round += 1) {
    const child = spawn(process.execPath, [fixture, entry, path], { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(child.stdout, 'data');
    // Spread over a save, which takes a few milliseconds.
    await delay(round);
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(texts.includes(await readFile(path, 'utf8'))).toBe(true);
    expect(permissions((await stat(path)).mode)).toBe(0o600);
  }
  // What a killed process left lying around is in nobody's way.
  await replacePrivateFile(path, 'after');
  expect(await readFile(path, 'utf8')).toBe('after');
});
