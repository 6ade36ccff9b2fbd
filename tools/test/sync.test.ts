import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createTestProject, type Finished } from './support/project.ts';

test('two people and a running tenant change files, and nobody loses any', async () => {
  await using project = await createTestProject();
  const env = { BROWSER: project.sandboxBrowser, SYSTEMPROMPT_BASE: 'scratch' };
  let said = '';
  const run = async (args: readonly string[], cwd = project.directory): Promise<Finished> => {
    const finished = await project.run([...args, '--json'], env, '', cwd);
    said += finished.stdout + finished.stderr;
    return finished;
  };
  const answer = async (args: readonly string[], exitCode = 0, cwd?: string): Promise<Record<string, unknown>> => {
    const finished = await run(args, cwd);
    expect(finished.exitCode, `${args.join(' ')}\n${finished.stderr}\n${finished.stdout}`).toBe(exitCode);
    return finished.json() as Record<string, unknown>;
  };
  const { url } = (await answer(['cloud', 'local', 'up', '--port', '0', '--machines', 'process'])) as { url: string };
  await answer(['cloud', 'auth', 'login', '--environment', url]);
  await answer(['cloud', 'init']);
  await answer(['cloud', 'tenant', 'create', '--name', 'hello', '--plan', 'starter', '--region', 'iad']);
  expect(await answer(['cloud', 'sync', 'status'], 8)).toMatchObject({ error: { code: 'SP_CLI_NO_PAGE' } });
  await answer(['cloud', 'deploy', '--yes']);
  expect(await answer(['cloud', 'sync', 'status'])).toMatchObject({ in_sync: true });

  // Somebody else changes the tenant from a computer of their own.
  const other = join(project.directory, '..', 'their copy');
  await cp(project.directory, other, { recursive: true });
  await rm(join(other, '.systemprompt', 'sync'), { recursive: true });
  const greeting = (root: string): string => join(root, 'services/content/greeting.md');
  await writeFile(greeting(other), '# Theirs\n');
  await writeFile(join(other, 'services/content/new.md'), '# New\n');
  const first = await answer(['cloud', 'sync', 'up'], 11, other);
  expect(first).toMatchObject({ up: ['content/new.md'], conflicts: ['content/greeting.md'] });
  expect(await answer(['cloud', 'sync', 'up', '--ours'], 0, other)).toMatchObject({ up: ['content/greeting.md'] });

  expect(await answer(['cloud', 'sync', 'status'], 9)).toMatchObject({
    remote_changes: ['content/greeting.md', 'content/new.md'],
    local_changes: [],
  });
  expect(await answer(['cloud', 'deploy', '--yes'], 6)).toMatchObject({
    error: { code: 'SP_CLI_TENANT_EDITED', paths: ['content/greeting.md', 'content/new.md'] },
  });
  const before = await readFile(greeting(project.directory), 'utf8');
  expect(await answer(['cloud', 'sync', 'down', '--dry-run'], 9)).toMatchObject({
    dry_run: true,
    down: ['content/greeting.md', 'content/new.md'],
  });
  expect(await readFile(greeting(project.directory), 'utf8')).toBe(before);
  await answer(['cloud', 'sync', 'pull']);
  expect(await readFile(greeting(project.directory), 'utf8')).toBe('# Theirs\n');

  // Both at once.
  await writeFile(greeting(project.directory), '# Mine\n');
  await writeFile(greeting(other), '# Theirs again\n');
  await answer(['cloud', 'sync', 'push'], 0, other);
  expect(await answer(['cloud', 'sync', 'down'], 11)).toMatchObject({ conflicts: ['content/greeting.md'], down: [] });
  expect(await readFile(greeting(project.directory), 'utf8')).toBe('# Mine\n');
  expect(await answer(['cloud', 'sync', 'up', '--ours'])).toMatchObject({ up: ['content/greeting.md'] });
  await answer(['cloud', 'sync', 'down', '--theirs'], 0, other);
  expect(await readFile(greeting(other), 'utf8')).toBe('# Mine\n');
  expect(await answer(['cloud', 'sync', 'undo'], 0, other)).toMatchObject({ down: ['content/greeting.md'] });
  expect(await readFile(greeting(other), 'utf8')).toBe('# Theirs again\n');

  await answer(['cloud', 'deploy', '--yes']);
  expect(await answer(['cloud', 'sync', 'status'])).toMatchObject({ in_sync: true });
  const secrets = JSON.parse(
    await readFile(join(project.directory, '.systemprompt/profiles/hello/secrets.json'), 'utf8'),
  ) as {
    sync_token: string;
  };
  expect(secrets.sync_token.length).toBeGreaterThan(20);
  expect(said).not.toContain(secrets.sync_token);
}, 240_000);
