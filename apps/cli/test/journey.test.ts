import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type LocalProject, startLocalProject } from './support/local-project.ts';
import { runBinary } from './support/run-binary.ts';

// A program's day: the built binary, `--json`, and a real cloud on this computer; each test goes on where the one before
// has ended. What is printed is held against the shipped schemas by `runBinary`.
let project: LocalProject;
beforeAll(async () => {
  project = await startLocalProject();
});
afterAll(() => project[Symbol.asyncDispose]());

type Answer = Readonly<Record<string, unknown>> & { readonly exitCode: number | null };

async function ask(...args: string[]): Promise<Answer> {
  const { cwd, env } = project;
  const { stdout, exitCode } = await runBinary([...args, '--json'], { cwd, env });
  return { ...(JSON.parse(stdout) as Record<string, unknown>), exitCode };
}

test('a checkout that was interrupted is taken up after the payment', async () => {
  const { cwd, env, cloud } = project;
  expect(await ask('cloud', 'init')).toMatchObject({ exitCode: 0 });
  expect(await ask('cloud', 'auth', 'login', '--environment', cloud.url)).toMatchObject({ tenants: 0, exitCode: 0 });
  const choice = ['--name', 'shop', '--plan', 'starter', '--region', 'iad', '--external-db-access'];
  const args = ['cloud', 'tenant', 'create', ...choice, '--json-lines'];
  const left = await runBinary(args, {
    cwd,
    env: { ...env, BROWSER: '/bin/true' },
    interruptAfter: (_, stdout) => stdout.includes('"visit"'),
  });
  expect(left.exitCode).toBe(130);
  const lines = left.stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { type: string; url?: string });
  const page = lines.find(({ type }) => type === 'visit')?.url ?? '';
  const { checkout_session_id: session } = JSON.parse(
    await readFile(join(cwd, '.systemprompt/checkout.json'), 'utf8'),
  ) as { checkout_session_id: string };
  // Paid for while nobody waits: the browser's way back finds nobody, as it does when a laptop was closed.
  await promisify(execFile)(env['BROWSER'] ?? '', [page]).catch(() => undefined);
  const made = await ask('cloud', 'tenant', 'create', '--resume', 'last');
  expect(made).toMatchObject({ exitCode: 0, checkout_session_id: session, tenant: { name: 'shop' } });
  // As it was said when it was begun.
  expect(made['external_db_access']).toBe(true);
  expect(await ask('cloud', 'tenant', 'create', '--resume', 'last')).toMatchObject({ exitCode: 5 });
});

test('plan, deploy, plan again: changes are 9, none are 0', async () => {
  const plan = await ask('cloud', 'deploy', '--plan');
  expect(plan).toMatchObject({ exitCode: 9, profile: 'shop', next_release: 1, health_check: false });
  expect(plan['configuration']).toMatchObject({ added: expect.arrayContaining(['Cmd', 'SYSTEMPROMPT_PROFILE']) });
  const { cwd, env } = project;
  const profile = await readFile(join(cwd, '.systemprompt/profiles/shop/profile.yaml'), 'utf8');
  expect(profile).toMatch(/api_external_url: http:\/\/shop-/);
  expect(profile).toContain('use_https: false');
  const { stdout } = await runBinary(['cloud', 'deploy', '--plan'], { cwd, env });
  expect(stdout).toMatch(/Configuration +(\S+ )*\+Cmd/);
  expect(stdout).toMatch(/Health check +none in the image/);
  const deployed = await ask('cloud', 'deploy');
  expect(deployed).toMatchObject({ exitCode: 0, status: 'running', release: 1, digest: plan['digest'] });
  const same = await ask('cloud', 'deploy', '--plan');
  expect(same['configuration']).toEqual({ added: [], changed: [], removed: [] });
  expect(same).toMatchObject({ exitCode: 0, changes: false, current_release: 1, digest: plan['digest'] });
});

test('without Docker and without a base of its own, a deploy fails with the words that make it work', async () => {
  const { cwd, env } = project;
  // Nothing is on the way to programs: no docker.
  const away = { ...env, PATH: join(cwd, 'nowhere'), SYSTEMPROMPT_BASE: '' };
  const { stdout, exitCode } = await runBinary(['cloud', 'deploy', '--json'], { cwd, env: away });
  expect(exitCode).not.toBe(0);
  expect(stdout).toContain('--builder oci --base scratch');
  const words = ['--builder', 'oci', '--base', 'scratch'];
  const planned = await runBinary(['cloud', 'deploy', '--plan', '--json', ...words], { cwd, env: away });
  expect(planned.exitCode, planned.stdout).toBe(0);
});

test('a deploy is followed by its operation, and an earlier release is brought back', async () => {
  await writeFile(join(project.cwd, 'web/dist/index.html'), 'second');
  const { cwd, env } = project;
  const deployed = await runBinary(['cloud', 'deploy', '--yes', '--json-lines'], { cwd, env });
  const events = deployed.stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { type: string; step?: string; result?: Record<string, unknown> });
  const steps = ['preflight', 'plan', 'build', 'push', 'secrets', 'deploy', 'health'];
  expect(events.filter(({ type }) => type === 'step-completed').map(({ step }) => step)).toEqual(steps);
  const second = events.at(-1)?.result ?? {};
  expect(second).toMatchObject({ release: 2 });
  const resumed = await ask('cloud', 'deploy', '--resume', String(second['operation_id']));
  expect(resumed).toMatchObject({ exitCode: 0, release: 2, operation_id: second['operation_id'], status: 'running' });
  expect(await ask('cloud', 'rollback')).toMatchObject({ exitCode: 3, error: { action_required: true } });
  const { releases } = (await ask('cloud', 'releases')) as unknown as {
    releases: { number: number; digest: string }[];
  };
  expect(releases.map(({ number }) => number)).toEqual([2, 1]);
  const back = await ask('cloud', 'rollback', '--yes');
  expect(back).toMatchObject({ exitCode: 0, release: 3, status: 'running', digest: releases[1]?.digest });
  expect(await ask('cloud', 'rollback', '--release', '99', '--yes')).toMatchObject({ exitCode: 5 });
});

test('secrets, restart, logs, credentials and status of a tenant that runs', async () => {
  const set = await ask('cloud', 'secrets', 'set', 'LOG_LEVEL=debug');
  expect(set).toMatchObject({ exitCode: 0, keys: ['LOG_LEVEL'] });
  const { cwd, env } = project;
  const restarted = await runBinary(['cloud', 'restart', '--yes', '--json-lines'], { cwd, env });
  const types = restarted.stdout
    .trimEnd()
    .split('\n')
    .map((line) => (JSON.parse(line) as { type: string }).type);
  expect(types).toEqual(['step-started', 'step-completed', 'result']);
  const logs = await ask('cloud', 'logs', '--grep', 'listening');
  expect(logs).toMatchObject({ exitCode: 0, lines: [{ message: 'listening debug' }] });
  expect(await ask('cloud', 'tenant', 'rotate-credentials', '--yes')).toMatchObject({ exitCode: 0 });
  expect(await ask('cloud', 'status', '--watch')).toMatchObject({ exitCode: 0, tenants: [{ status: 'running' }] });
  expect(await ask('cloud', 'doctor')).toMatchObject({ exitCode: 0, healthy: true });
});
