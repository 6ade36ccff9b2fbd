import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Client } from 'pg';
import { expect, onTestFinished, test } from 'vitest';
import { keepEmbeddedPostgres, removeEmbeddedPostgres, stopEmbeddedPostgres } from '../src/index.ts';

async function answer(url: string): Promise<unknown> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<{ one: number }>('select 1 as one')).rows;
  } finally {
    await client.end();
  }
}

test('a server is started once, found again, and stopped by its data folder', async () => {
  const parent = await mkdtemp(join(tmpdir(), 'sp-kept-'));
  const dataDir = join(parent, 'data');
  onTestFinished(async () => {
    await removeEmbeddedPostgres({ dataDir });
    await rm(parent, { recursive: true, force: true });
  });
  const first = await keepEmbeddedPostgres({ dataDir });
  expect(first.status).toBe('started');
  expect(await keepEmbeddedPostgres({ dataDir })).toEqual({ ...first, status: 'running' });
  expect(await answer(first.url)).toEqual([{ one: 1 }]);
  await stopEmbeddedPostgres({ dataDir });
  await expect(answer(first.url)).rejects.toThrow(/ECONNREFUSED/);
  await stopEmbeddedPostgres({ dataDir });
  const both = await Promise.all([keepEmbeddedPostgres({ dataDir }), keepEmbeddedPostgres({ dataDir })]);
  expect(both.map(({ url }) => url)).toEqual([first.url, first.url]);
  expect(both.map(({ status }) => status).sort()).toEqual(['running', 'started']);
  expect(await readdir(parent)).toEqual(['data']);
});

test('it runs on when the process that started it ends', async () => {
  const parent = await mkdtemp(join(tmpdir(), 'sp-kept-'));
  const dataDir = join(parent, 'data');
  onTestFinished(async () => {
    await removeEmbeddedPostgres({ dataDir });
    await rm(parent, { recursive: true, force: true });
  });
  const program = `const { keepEmbeddedPostgres } = await import(process.argv[1]);
    process.stdout.write(JSON.stringify(await keepEmbeddedPostgres({ dataDir: process.argv[2] })));`;
  const entry = new URL('../dist/index.js', import.meta.url).href;
  const run = async (): Promise<unknown> =>
    JSON.parse(
      (await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program, entry, dataDir])).stdout,
    );
  const started = (await run()) as { url: string };
  expect(started).toMatchObject({ status: 'started' });
  expect(await answer(started.url)).toEqual([{ one: 1 }]);
  expect(await run()).toEqual({ ...started, status: 'running' });
});
