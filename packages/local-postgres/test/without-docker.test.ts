import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createTenantDatabase, startDockerPostgres } from '../src/index.ts';

test('without an engine it says so', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'sp-local-postgres-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  await expect(startDockerPostgres({ folder, binary: '/nowhere/docker' })).rejects.toMatchObject({
    code: 'SP_POSTGRES_DOCKER_MISSING',
  });
});

test.each(['', '1a', 'a-b', 'a"b', 'postgres', 'template1', 'pg_x', 'a'.repeat(64)])('%j is no name', async (bad) => {
  const promise = createTenantDatabase('postgres://a:b@127.0.0.1:1/c', { name: bad });
  await expect(promise).rejects.toMatchObject({ code: 'SP_POSTGRES_NAME_INVALID' });
});
