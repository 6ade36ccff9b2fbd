import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Client } from 'pg';
import { expect, test } from 'vitest';
// @boundaries-ignore the image that the library's own tests make: none can be had from elsewhere
import { buildTestImage, testImage } from '../../packages/local-postgres/test/postgres-image.ts';
import { createTestProject } from './support/project.ts';
import { requirePart } from './support/require-part.ts';
import { runReadme } from './support/run-readme.ts';

const docker = async (...args: string[]): Promise<string> => (await promisify(execFile)('docker', args)).stdout.trim();

test('a local tenant in Docker is used again after its container was stopped, and leaves nothing when it is deleted', async (context) => {
  requirePart('docker', context);
  requirePart('postgres', context);
  await buildTestImage();
  await using project = await createTestProject();
  const container = `sp-test-cli-postgres-${randomBytes(4).toString('hex')}`;
  const env = { SYSTEMPROMPT_POSTGRES_IMAGE: testImage, SYSTEMPROMPT_POSTGRES_CONTAINER: container };
  const run = async (...args: string[]): Promise<Record<string, unknown>> => {
    const finished = await project.run([...args, '--json'], env);
    expect(finished.exitCode, `${args.join(' ')}\n${finished.stderr}\n${finished.stdout}`).toBe(0);
    return finished.json() as Record<string, unknown>;
  };
  try {
    await run('cloud', 'init');
    // Nobody says which Postgres: where there is Docker, it is one in Docker.
    const made = await run('cloud', 'tenant', 'create', '--type', 'local', '--name', 'dev');
    expect(made).toMatchObject({ database: 'docker', tenant: { name: 'dev' } });
    await run('cloud', 'db', 'query', 'create table kept as select 42 as answer', '--write');
    await docker('stop', container);
    expect(await run('cloud', 'db', 'query', 'select answer from kept')).toMatchObject({ rows: [[42]] });
    expect(await run('cloud', 'tenant', 'show', 'dev')).toMatchObject({ database: 'docker', tenant_type: 'local' });
    // Postgres' own programs are in that container too: none is needed on this computer.
    const file = join(project.directory, 'kept.dump');
    const backup = await run('cloud', 'db', 'backup', '--output', file, '--tools', 'docker');
    expect(backup).toMatchObject({ tables: 1, rows: 1, verified: true });
    await run('cloud', 'db', 'query', 'delete from kept', '--write');
    const restore = ['--replace', '--confirm', 'dev', '--tools', 'docker'];
    expect(await run('cloud', 'db', 'restore', file, ...restore)).toMatchObject({ rows: 1, compared: true });
    await run('cloud', 'tenant', 'create', '--type', 'local', '--name', 'copy');
    const clone = await run('cloud', 'db', 'clone', '--profile', 'dev', '--to', 'copy', '--tools', 'docker');
    expect(clone).toMatchObject({ from: 'dev', to: 'copy', rows: 1 });
    await run('cloud', 'tenant', 'delete', 'copy', '--data', 'delete', '--confirm', 'copy');

    const deleted = await run('cloud', 'tenant', 'delete', 'dev', '--data', 'delete', '--confirm', 'dev');
    expect(deleted).toMatchObject({ deleted: true, database: 'deleted', profiles: ['dev'] });
    const left = await docker(
      'exec',
      container,
      'psql',
      '-U',
      'systemprompt_admin',
      '-d',
      'postgres',
      '-Atc',
      'select datname from pg_database where not datistemplate',
    );
    expect(left).toBe('postgres');
  } finally {
    await docker('rm', '--force', container).catch(() => undefined);
    await docker('volume', 'rm', '--force', `${container}-data`).catch(() => undefined);
  }
});

test('@sp/local-postgres makes the database of its README', async (context) => {
  requirePart('docker', context);
  requirePart('postgres', context);
  await buildTestImage();
  const name = `sp-test-readme-postgres-${randomBytes(4).toString('hex')}`;
  const folder = await mkdtemp(join(tmpdir(), 'sp-readme-postgres-'));
  const urls: string[] = [];
  try {
    await runReadme('local-postgres', {
      folder,
      replace: {
        "folder: '/site/.systemprompt/docker'": `folder: ${JSON.stringify(join(folder, 'docker'))}, name: '${name}', image: '${testImage}'`,
        '// postgres://my_site': 'urls.push(url); // postgres://my_site',
      },
      names: { urls },
    });
    expect(urls.map((url) => url.replace(/:[^:@]+@127.0.0.1:\d+/, ':…@127.0.0.1:5432'))).toEqual([
      'postgres://my_site_19aa5c1b2f0:…@127.0.0.1:5432/my_site_19aa5c1b2f0?sslmode=disable',
    ]);
    const own = new Client({ connectionString: urls[0] });
    await own.connect();
    expect((await own.query('select current_user as name')).rows).toEqual([{ name: 'my_site_19aa5c1b2f0' }]);
    await own.end();
  } finally {
    await docker('rm', '--force', name).catch(() => undefined);
    await docker('volume', 'rm', '--force', `${name}-data`).catch(() => undefined);
    await rm(folder, { recursive: true, force: true });
  }
});
