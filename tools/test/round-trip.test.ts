import { cp, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startLocalCloud } from '@sp/management-api';
import { Client } from 'pg';
import { expect, test } from 'vitest';
import { startDebianPostgres } from './support/debian-postgres.ts';
import { createTestProject } from './support/project.ts';
import { requirePart } from './support/require-part.ts';

test("a tenant's files and database go from one computer to the cloud and on to another, and are equal", async (context) => {
  requirePart('postgres', context);
  await using server = await startDebianPostgres();
  await using project = await createTestProject();
  // On the server whose programs are installed: backups need both of one version.
  await using cloud = await startLocalCloud({
    dataDir: project.dataDir,
    port: 0,
    machines: 'process',
    databaseUrl: server.url('postgres'),
  });
  const env = { BROWSER: project.sandboxBrowser, SYSTEMPROMPT_BASE: 'scratch' };
  const run = async (cwd: string, args: readonly string[], input = ''): Promise<Record<string, unknown>> => {
    const finished = await project.run([...args, '--json'], env, input, cwd);
    expect(finished.exitCode, `${args.join(' ')}\n${finished.stderr}\n${finished.stdout}`).toBe(0);
    return finished.json() as Record<string, unknown>;
  };
  const admin = new Client({ connectionString: server.url('postgres') });
  await admin.connect();
  for (const name of ['here', 'there']) await admin.query(`create database ${name}`);
  await admin.end();

  const here = project.directory;
  const local = (name: string): readonly string[] => [
    'cloud',
    'tenant',
    'create',
    '--type',
    'local',
    '--name',
    name,
    '--database-url-stdin',
  ];
  await run(here, ['cloud', 'init']);
  await run(here, local('here'), server.url('here'));
  const fill = 'create table orders as select n, md5(n::text) as text, now() as at from generate_series(1, 3000) n';
  await run(here, ['cloud', 'db', 'query', fill, '--write', '--profile', 'here']);
  await mkdir(join(here, 'services/content/deep/er'), { recursive: true });
  await writeFile(join(here, 'services/content/deep/er/ünï cödé.md'), 'Text\r\nwith \0 bytes');
  await writeFile(join(here, 'services/content/run.sh'), '#!/bin/sh\n', { mode: 0o755 });

  await run(here, ['cloud', 'auth', 'login', '--environment', cloud.url]);
  await run(here, ['cloud', 'tenant', 'create', '--name', 'hello', '--plan', 'starter', '--region', 'iad']);
  await run(here, ['cloud', 'deploy', '--yes', '--profile', 'hello']);
  await run(here, ['cloud', 'tenant', 'edit', 'hello', '--external-db-access']);
  // The tenant made a table of its own when it started.
  const toCloud = ['cloud', 'db', 'clone', '--profile', 'here', '--to', 'hello', '--replace', '--confirm', 'hello'];
  expect(await run(here, toCloud)).toMatchObject({ from: 'here', to: 'hello' });

  const there = join(here, '..', 'another computer');
  await cp(here, there, { recursive: true });
  await rm(join(there, 'services'), { recursive: true });
  await rm(join(there, '.systemprompt/sync'), { recursive: true });
  await mkdir(join(there, 'services'));
  await run(there, ['cloud', 'sync', 'down', '--profile', 'hello']);
  expect(await filesOf(join(there, 'services'))).toEqual(await filesOf(join(here, 'services')));

  await run(there, local('there'), server.url('there'));
  await run(there, ['cloud', 'db', 'clone', '--profile', 'hello', '--to', 'there']);
  const sum = "select count(*)::int, md5(string_agg(orders::text, ',' order by n)) from orders";
  const of = async (cwd: string, profile: string): Promise<unknown> =>
    (await run(cwd, ['cloud', 'db', 'query', sum, '--profile', profile]))['rows'];
  expect(await of(there, 'there')).toEqual(await of(here, 'here'));
}, 240_000);

/** Paths with their contents, and whether they can be executed. */
async function filesOf(root: string): Promise<Record<string, string>> {
  const files: Record<string, string> = {};
  for (const name of await readdir(root, { recursive: true })) {
    const path = join(root, name);
    const found = await stat(path);
    if (found.isFile()) files[name] = `${found.mode & 0o100 ? 'x' : '-'} ${await readFile(path, 'base64')}`;
  }
  return files;
}
