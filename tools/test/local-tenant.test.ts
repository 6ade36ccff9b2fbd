import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
// @boundaries-ignore the image that the library's own tests make: none can be had from elsewhere
import { buildTestImage, testImage } from '../../packages/local-postgres/test/postgres-image.ts';
import { createTestProject } from './support/project.ts';
import { requirePart } from './support/require-part.ts';

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
}, 120_000);
