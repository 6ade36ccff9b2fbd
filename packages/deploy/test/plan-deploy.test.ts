import { createHmac } from 'node:crypto';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import {
  type DeployEvent,
  type DeploySource,
  deploy,
  diffSecrets,
  type ImagePlan,
  type PlanImageOptions,
  planDeploy,
  planImage,
} from '../src/index.ts';
import { digestKey, type FakeCloud, fakeCloud, fakeRelease } from './fake-cloud.ts';
import { fakeDocker } from './fake-docker.ts';
import { fixtureProject, temporaryFolder } from './fixture-project.ts';

async function sourceFor(cloud: FakeCloud, changes: Partial<DeploySource> = {}): Promise<DeploySource> {
  const planOptions = { projectRoot: await fixtureProject(), profileName: 'production', base: 'scratch' };
  const source = { api: cloud.api, tenantId: 't_1', planOptions, cacheDirectory: await temporaryFolder() };
  return { ...source, ...changes } as DeploySource;
}

async function collect(events: AsyncIterable<DeployEvent>): Promise<readonly DeployEvent[]> {
  const seen: DeployEvent[] = [];
  for await (const event of events) seen.push(event);
  return seen;
}

test('a plan says what a first deploy does, and changes nothing', async () => {
  const cloud = await fakeCloud();
  cloud.releases = [];
  cloud.diff = { added: ['LOG_LEVEL'], changed: [], removed: [], remote_only: ['OLD'], version: 4 };
  const source = await sourceFor(cloud, { secrets: { LOG_LEVEL: 'planted-value' } });
  const plan = await planDeploy(source);
  expect(plan).toMatchObject({
    tenantId: 't_1',
    builder: 'oci',
    nextRelease: 1,
    current: undefined,
    downtime: 'until-healthy',
    changes: true,
    secrets: { added: ['LOG_LEVEL'], remoteOnly: ['OLD'] },
    expected: { expectedRelease: 0, expectedSecretsVersion: 4, expectedDigest: plan.digest },
  });
  expect(plan.layers.map(({ name, cached }) => ({ name, cached }))).toEqual([
    { name: 'bin', cached: false },
    { name: 'storage', cached: false },
    { name: 'web', cached: false },
    { name: 'extensions', cached: false },
    { name: 'services', cached: false },
  ]);
  for (const { bytes, size } of plan.layers) expect(Math.min(bytes, size ?? 0)).toBeGreaterThan(0);
  const layers = plan.layers.reduce((sum, { size = 0 }) => sum + size, 0);
  expect(plan.uploadBytes).toBeGreaterThan(layers);
  expect(await cloud.storage.resolve(cloud.target.repository, cloud.target.tag)).toBeUndefined();
  expect(cloud.requests.filter((request) => !request.startsWith('GET'))).toEqual(
    cloud.requests.filter((request) => request === 'POST /secrets/diff'),
  );
  expect(JSON.stringify([cloud.bodies, plan])).not.toContain('planted-value');
});

test('a deploy applies exactly the plan, and a plan afterwards finds nothing to do', async () => {
  const cloud = await fakeCloud();
  cloud.releases = [];
  const source = await sourceFor(cloud);
  const plan = await planDeploy(source);
  const events = await collect(deploy({ ...source, ...plan.expected, pollIntervalMs: 5 }));
  expect(events.at(-1)).toMatchObject({ result: { digest: plan.digest, uploadedBytes: plan.uploadBytes } });
  expect(cloud.bodies['/deploy']).toMatchObject({ expected_release: 0, digest: plan.digest });

  cloud.releases = [fakeRelease(1, { status: 'running', digest: plan.digest ?? '' })];
  const again = await planDeploy(source);
  expect(again).toMatchObject({
    uploadBytes: 0,
    changes: false,
    nextRelease: 2,
    downtime: 'none',
    current: { number: 1 },
    expected: { expectedRelease: 1 },
  });

  const { projectRoot } = source.planOptions ?? { projectRoot: '' };
  await writeFile(join(projectRoot, 'web/dist/index.html'), 'a new page');
  const changed = await planDeploy(source);
  const [web] = changed.layers.filter(({ name }) => name === 'web');
  expect(web?.cached).toBe(false);
  expect(changed.changes).toBe(true);
  // The layer and the configuration; nothing of the other layers.
  expect(changed.uploadBytes).toBeGreaterThan(web?.size ?? 0);
  expect(changed.uploadBytes).toBeLessThan((plan.uploadBytes ?? 0) - (plan.layers[0]?.size ?? 0));
  await expect(collect(deploy({ ...source, ...again.expected }))).rejects.toMatchObject({
    code: 'SP_DEPLOY_PROJECT_CHANGED',
  });
});

test('a plan names what changes of the configuration, against the image that runs', async () => {
  const cloud = await fakeCloud();
  cloud.releases = [];
  const source = await sourceFor(cloud);
  const imagePlan = await planImage(source.planOptions as PlanImageOptions);
  const planFor = (changes: Partial<ImagePlan>) =>
    planDeploy({ ...source, planOptions: undefined, plan: { ...imagePlan, ...changes } });
  const first = await planFor({});
  expect(first.configuration).toEqual({
    added: expect.arrayContaining([
      'Cmd',
      'ExposedPorts',
      'Labels',
      'PORT',
      'SYSTEMPROMPT_PROFILE',
      'User',
    ]) as string[],
    changed: [],
    removed: [],
  });
  const running = { ...source, planOptions: undefined, plan: imagePlan } as DeploySource;
  await collect(deploy({ ...running, pollIntervalMs: 5 }));
  cloud.releases = [fakeRelease(1, { status: 'running', digest: first.digest ?? '' })];
  expect((await planFor({})).configuration).toEqual({ added: [], changed: [], removed: [] });
  const { RUST_LOG: _, ...env } = imagePlan.env;
  const changes = { env: { ...env, PORT: '9090', EXTRA: 'planted-value' }, command: ['/app/bin/other'] };
  const changed = await planFor(changes);
  expect(changed.configuration).toEqual({ added: ['EXTRA'], changed: ['Cmd', 'PORT'], removed: ['RUST_LOG'] });
  expect(JSON.stringify(changed.configuration)).not.toContain('planted-value');
  // What runs is not in the registry any more: then nobody knows.
  cloud.releases = [fakeRelease(2, { status: 'running' })];
  expect((await planFor({})).configuration).toBeUndefined();
});

test('with secrets alone there is something to do', async () => {
  const cloud = await fakeCloud();
  cloud.releases = [];
  const source = await sourceFor(cloud);
  const { digest = '' } = await planDeploy(source);
  cloud.releases = [fakeRelease(1, { status: 'running', digest })];
  cloud.diff = { added: [], changed: ['A'], removed: [], remote_only: [], version: 1 };
  expect((await planDeploy(source)).changes).toBe(true);
});

test('what docker would build is known by its files only', async () => {
  const cloud = await fakeCloud();
  cloud.releases = [];
  const { env, calls } = await fakeDocker();
  const plan = await planDeploy(await sourceFor(cloud, { builder: 'docker', docker: { env } }));
  expect(plan).toMatchObject({ builder: 'docker', digest: undefined, uploadBytes: undefined, changes: undefined });
  expect(plan.layers[0]).toMatchObject({ name: 'bin', size: undefined, cached: undefined });
  expect((await calls()).map(({ args }) => args[0])).toEqual(['version']);
});

test('a plan fails as the deploy would', async () => {
  const cloud = await fakeCloud();
  cloud.statuses = [{ status: 'provisioning' }];
  await expect(planDeploy(await sourceFor(cloud))).rejects.toMatchObject({ code: 'SP_DEPLOY_TENANT_NOT_READY' });
  cloud.statuses = [{ status: 'running' }];
  cloud.refused.set('/releases', 500);
  await expect(planDeploy(await sourceFor(cloud))).rejects.toMatchObject({
    code: 'SP_DEPLOY_API_FAILED',
    cause: { code: 'SP_API_SERVER' },
  });
  await expect(planDeploy(await sourceFor(cloud, { signal: AbortSignal.abort() }))).rejects.toMatchObject({
    code: 'SP_DEPLOY_ABORTED',
  });
});

test('secrets are compared by digests, and no value is sent', async () => {
  const cloud = await fakeCloud();
  const options = { api: cloud.api, tenantId: 't_1', secrets: { A: 'planted-value' } };
  expect(await diffSecrets(options)).toMatchObject({ version: 1 });
  const hmac = createHmac('sha256', Buffer.from(digestKey, 'base64')).update('A\0planted-value').digest('hex');
  expect(cloud.bodies['/secrets/diff']).toEqual({ secrets: { A: hmac }, prune: false });
  await expect(diffSecrets({ ...options, secrets: { fly_machine_id: 'x' } })).rejects.toMatchObject({
    code: 'SP_DEPLOY_SECRET_REFUSED',
    names: ['fly_machine_id'],
  });
});

test('nothing of a plan is left beside the cache', async () => {
  const cloud = await fakeCloud();
  cloud.releases = [];
  const source = await sourceFor(cloud);
  const before = await readdir(source.planOptions?.projectRoot ?? '', { recursive: true });
  await planDeploy(source);
  expect(await readdir(source.planOptions?.projectRoot ?? '', { recursive: true })).toEqual(before);
});
