import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { backUp, restore, runQuery, type ToolPlace } from '../src/index.ts';
import {
  needsPostgres,
  type PostgresServer,
  postgresFolder,
  startServer,
  temporaryFolder,
} from './support/postgres-server.ts';
import { fillRichDatabase, fingerprint } from './support/rich-database.ts';

let server: PostgresServer;
beforeAll(async () => {
  if (postgresFolder === undefined) return;
  server = await startServer();
  for (const name of ['rich', 'target']) await runQuery(server.url(), `create database ${name}`);
  await fillRichDatabase(server.url('rich'));
});
afterAll(() => server?.stop());
beforeEach((context) => needsPostgres(context));

/** Another place: a command that starts the program with an environment of its own, from a folder without files. */
function otherPlace(preferred: boolean): ToolPlace & { readonly asked: string[] } {
  const asked: string[] = [];
  return {
    preferred,
    asked,
    find: async (tool, { address, serverMajor }) => {
      asked.push(tool);
      const path = join(postgresFolder ?? '', tool);
      return { path: '/usr/bin/env', arguments: ['-C', '/', path], address, version: serverMajor };
    },
  };
}

test.each(['custom', 'sql'] as const)('a backup as %s is made and restored by programs elsewhere', async (format) => {
  const path = join(await temporaryFolder(), 'backup');
  const elsewhere = otherPlace(true);
  const backup = await backUp(server.url('rich'), { path, format, elsewhere });
  const restored = await restore(server.url('target'), { path, elsewhere, replace: true });
  expect(restored).toEqual({ rows: backup.rows, compared: true });
  expect(await fingerprint(server.url('target'))).toBe(await fingerprint(server.url('rich')));
  expect(elsewhere.asked).toEqual(['pg_dump', format === 'sql' ? 'psql' : 'pg_restore']);
});

test('programs of this computer come first, and are the only ones for a folder', async () => {
  const folder = await temporaryFolder();
  const second = otherPlace(false);
  await backUp(server.url('rich'), { path: join(folder, 'here'), elsewhere: second });
  const preferred = otherPlace(true);
  await backUp(server.url('rich'), { path: join(folder, 'files'), format: 'directory', elsewhere: preferred });
  expect([second.asked, preferred.asked]).toEqual([[], []]);
});

test('a place without the program says why', async () => {
  const path = join(await temporaryFolder(), 'backup');
  const elsewhere: ToolPlace = { preferred: true, find: async () => ({ problem: 'the engine is asleep' }) };
  await expect(backUp(server.url('rich'), { path, elsewhere })).rejects.toMatchObject({
    code: 'SP_DATABASE_TOOL_MISSING',
    tool: 'pg_dump',
    message: expect.stringContaining('the engine is asleep'),
  });
});
