import { existsSync } from 'node:fs';
import { truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { Client } from 'pg';
import { expect, test } from 'vitest';
import { startDebianPostgres } from './support/debian-postgres.ts';
import { createTestProject, type Finished } from './support/project.ts';
import { requirePart } from './support/require-part.ts';

test('a database is backed up, lost, restored, cloned and reached with the built program', async (context) => {
  requirePart('postgres', context);
  await using server = await startDebianPostgres();
  await using project = await createTestProject();
  let said = '';
  const run = async (args: readonly string[], input = ''): Promise<Finished> => {
    const finished = await project.run([...args, '--json'], {}, input);
    said += finished.stdout + finished.stderr;
    return finished;
  };
  const answer = async (args: readonly string[], input?: string): Promise<Record<string, unknown>> => {
    const finished = await run(args, input);
    expect(finished.exitCode, `${args.join(' ')}\n${finished.stderr}\n${finished.stdout}`).toBe(0);
    return finished.json() as Record<string, unknown>;
  };
  const query = (sql: string, profile: string) =>
    answer(['cloud', 'db', 'query', sql, '--write', '--profile', profile]);

  await answer(['cloud', 'init']);
  const admin = new Client({ connectionString: server.url('postgres') });
  await admin.connect();
  for (const name of ['first', 'second']) {
    await admin.query(`create database ${name}`);
    await answer(
      ['cloud', 'tenant', 'create', '--type', 'local', '--name', name, '--database-url-stdin'],
      server.url(name),
    );
  }
  await admin.end();
  await query('create table notes as select n, md5(n::text) as text from generate_series(1, 5000) n', 'first');

  const file = join(project.directory, 'kept.dump');
  const backup = ['cloud', 'db', 'backup', '--profile', 'first', '--output', file];
  expect(await answer(backup)).toMatchObject({ path: file, tables: 1, rows: 5000, verified: true, format: 'custom' });
  expect((await run(backup)).exitCode).toBe(6);

  await query('delete from notes where n > 10', 'first');
  const restore = ['cloud', 'db', 'restore', file, '--profile', 'first'];
  expect((await run(restore)).json()).toMatchObject({ error: { code: 'SP_DATABASE_NOT_EMPTY' } });
  expect((await run([...restore, '--replace'])).exitCode).toBe(3);
  expect(await answer([...restore, '--replace', '--confirm', 'first'])).toMatchObject({ rows: 5000, compared: true });

  const clone = ['cloud', 'db', 'clone', '--profile', 'first', '--to', 'second'];
  expect(await answer(clone)).toMatchObject({ from: 'first', to: 'second', rows: 5000 });
  const sum = 'select md5(string_agg(text, $$,$$ order by n)) from notes';
  expect((await query(sum, 'second'))['rows']).toEqual((await query(sum, 'first'))['rows']);
  expect((await run(['cloud', 'db', 'clone', '--profile', 'first', '--to', 'first'])).exitCode).toBe(2);

  await truncate(file, 1000);
  expect((await run([...restore, '--replace', '--confirm', 'first'])).json()).toMatchObject({
    error: { code: 'SP_DATABASE_BACKUP_DAMAGED' },
  });

  const piped = await project.run(
    ['cloud', 'db', 'shell', '--profile', 'first'],
    {},
    "create table typed (id int);\ninsert into typed values (1), (2)\n; select count(*) as many from typed;\n\\d\nselect 'last; one'",
  );
  expect(piped.exitCode, piped.stderr).toBe(0);
  expect(piped.stdout).toMatch(/many\n2 *\n[^]*public *notes[^]*last; one/);
  const broken = await project.run(['cloud', 'db', 'shell', '--profile', 'first'], {}, 'selec 1;\ndrop table typed;');
  expect(broken.exitCode).toBe(1);
  expect((await query('select count(*)::int from typed', 'first'))['rows']).toEqual([[2]]);

  const { child, finished } = project.start(['cloud', 'db', 'proxy', '--profile', 'first', '--json-lines']);
  let events = '';
  child.stdout?.on('data', (chunk) => (events += String(chunk)));
  await expect.poll(() => events.includes('\n')).toBe(true);
  const { port } = JSON.parse(events.split('\n')[0] ?? '') as { port: number };
  const throughPort = new Client({
    host: '127.0.0.1',
    port,
    user: 'postgres',
    password: server.password,
    database: 'first',
  });
  await throughPort.connect();
  expect((await throughPort.query('select count(*)::int as many from notes')).rows).toEqual([{ many: 5000 }]);
  await throughPort.end();
  child.kill('SIGINT');
  const ended = await finished;
  said += ended.stdout + ended.stderr + piped.stdout + piped.stderr;
  expect(ended.exitCode, ended.stderr).toBe(0);

  expect(existsSync(`${file}.json`)).toBe(true);
  for (const form of [server.password, encodeURIComponent(server.password)]) expect(said).not.toContain(form);
});
