import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { runQuery } from '../src/index.ts';
import {
  needsPostgres,
  type PostgresServer,
  postgresFolder,
  startServer,
  temporaryFolder,
} from './support/postgres-server.ts';

let server: PostgresServer;
beforeAll(async () => {
  if (postgresFolder !== undefined) server = await startServer();
});
afterAll(() => server?.stop());

test('the program in the README prints what it says', async (context) => {
  needsPostgres(context);
  const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8');
  const [, program = '', output = ''] = /```ts\n(import [^]*?)\n((?:\/\/ .*\n)+)```/.exec(readme) ?? [];
  await runQuery(server.url(), `create table people as select 1 as id, 'Ada' as name`);
  const folder = await temporaryFolder();
  const file = join(folder, 'program.ts');
  const source = fileURLToPath(new URL('../src/index.ts', import.meta.url));
  const text = program.replace("'@sp/database'", JSON.stringify(source)).replace('backups/', `${folder}/`);
  await writeFile(file, `const url = ${JSON.stringify(server.url())};\n${text}`);
  const log = vi.spyOn(console, 'log').mockImplementation(() => {});
  try {
    await import(/* @vite-ignore */ pathToFileURL(file).href);
    expect(log.mock.calls).toEqual([[[['Ada']]], [['people']], [{ 'public.people': 1 }], [true]]);
  } finally {
    log.mockRestore();
  }
  expect(output.replaceAll('// ', '')).toBe(`[ [ 'Ada' ] ]\n[ 'people' ]\n{ 'public.people': 1 }\ntrue\n`);
});
