import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import { type DeployEvent, type DeployOptions, type DeployResult, deploy, planImage } from '../src/index.ts';
import { type FakeCloud, fakeCloud } from './fake-cloud.ts';
import { fixtureProject, temporaryFolder } from './fixture-project.ts';
import { registryPassword } from './registry-server.ts';

type Changes = Partial<Omit<DeployOptions, 'plan' | 'planOptions'>>;

async function optionsFor(cloud: FakeCloud, changes: Changes = {}): Promise<DeployOptions> {
  return {
    api: cloud.api,
    tenantId: 't_1',
    planOptions: { projectRoot: await fixtureProject(), profileName: 'production', base: 'scratch' },
    cacheDirectory: await temporaryFolder(),
    pollIntervalMs: 5,
    ...changes,
  };
}

async function collect(options: DeployOptions): Promise<readonly DeployEvent[]> {
  const events: DeployEvent[] = [];
  for await (const event of deploy(options)) events.push(event);
  return events;
}

function resultOf(events: readonly DeployEvent[]): DeployResult {
  const last = events.at(-1);
  if (last?.type !== 'deploy-completed') throw new Error(`ended with ${last?.type}`);
  return last.result;
}

const steps = ['preflight', 'plan', 'build', 'push', 'secrets', 'deploy', 'health'];

test('a project becomes an image in the registry and a running tenant', async () => {
  const cloud = await fakeCloud();
  const secrets = { JWT_SECRET: 'planted-jwt' };
  const events = await collect(await optionsFor(cloud, { secrets }));
  for (const type of ['step-started', 'step-completed']) {
    expect(events.flatMap((event) => (event.type === type && 'step' in event ? [event.step] : []))).toEqual(steps);
  }
  const { target, storage } = cloud;
  const image = `${target.registry}/${target.repository}:${target.tag}`;
  const digest = (await storage.resolve(target.repository, target.tag))?.digest;
  expect(resultOf(events)).toMatchObject({
    tenantId: 't_1',
    image,
    digest,
    status: 'running',
    appUrl: 'https://site.test',
    uploadedBytes: expect.toSatisfy((bytes: number) => bytes > 0),
  });
  expect(cloud.bodies).toEqual({ '/secrets': { secrets }, '/deploy': { image, digest } });
  expect(cloud.requests.indexOf('POST /secrets')).toBeLessThan(cloud.requests.indexOf('POST /deploy'));
  for (const secret of ['planted-jwt', registryPassword, 'api-token-value']) {
    expect(JSON.stringify(events)).not.toContain(secret);
  }
});

test('the same deploy again sends nothing new', async () => {
  const cloud = await fakeCloud();
  const options = await optionsFor(cloud);
  const first = resultOf(await collect(options));
  const second = resultOf(await collect(options));
  expect(second).toMatchObject({ digest: first.digest, uploadedBytes: 0 });
});

test('a server that is still deploying is asked until it runs', async () => {
  const cloud = await fakeCloud();
  cloud.deployAnswer = { status: 'deploying' };
  const deploying = { status: 'deploying', message: 'starting machine' };
  cloud.statuses = [{ status: 'running' }, deploying, deploying, { status: 'running', app_url: 'https://new.test' }];
  expect(resultOf(await collect(await optionsFor(cloud)))).toMatchObject({
    status: 'running',
    appUrl: 'https://new.test',
  });
});

test.each([
  ['the answer says failed', { status: 'failed', message: 'exited with 1\nboom' }, { status: 'running' }],
  [
    'it goes back to no release',
    { status: 'deploying' },
    { status: 'awaiting_deploy', message: 'exited with 1\nboom' },
  ],
  ['it goes back to the old release', { status: 'deploying' }, { status: 'running', message: 'exited with 1\nboom' }],
])('a machine that is not healthy: %s', async (_, answer, after) => {
  const cloud = await fakeCloud();
  cloud.deployAnswer = answer;
  cloud.statuses = [{ status: 'running' }, after];
  await expect(collect(await optionsFor(cloud))).rejects.toMatchObject({
    code: 'SP_DEPLOY_UNHEALTHY',
    step: 'health',
    tenantId: 't_1',
    status: after.status,
    message: expect.stringMatching(/exited with 1$/),
    lastLines: ['boom'],
  });
});

test('a deploy that takes too long says where it stands', async () => {
  const cloud = await fakeCloud();
  cloud.deployAnswer = { status: 'deploying' };
  cloud.statuses = [{ status: 'running' }, { status: 'deploying' }];
  await expect(collect(await optionsFor(cloud, { healthTimeoutMs: 60 }))).rejects.toMatchObject({
    code: 'SP_DEPLOY_TIMEOUT',
    step: 'health',
    status: 'deploying',
  });
});

test('without a push, what the registry has is run, and no digest is demanded', async () => {
  const cloud = await fakeCloud();
  cloud.deployAnswer = { status: 'running', app_url: 'https://site.test', digest: `sha256:${'c'.repeat(64)}` };
  // Neither a project nor anybody who could build is needed for that.
  const planOptions = { projectRoot: '/nonexistent', profileName: 'none' };
  const options = await optionsFor(cloud, { skipPush: true, builder: 'docker', docker: { binary: 'no-such-docker' } });
  const events = await collect({ ...options, plan: undefined, planOptions });
  const steps = ['preflight', 'plan', 'build', 'push', 'secrets', 'deploy', 'health'];
  expect(events.flatMap((event) => (event.type === 'step-completed' ? [event.step] : []))).toEqual(steps);
  const result = resultOf(events);
  expect(result).toMatchObject({ digest: `sha256:${'c'.repeat(64)}`, uploadedBytes: 0 });
  expect(await cloud.storage.resolve(cloud.target.repository, cloud.target.tag)).toBeUndefined();
  expect(Object.keys(cloud.bodies['/deploy'] as object)).toEqual(['image']);
});

test('a tenant that has no infrastructure is refused before anything is built', async () => {
  const cloud = await fakeCloud();
  cloud.statuses = [{ status: 'provisioning' }];
  await expect(collect(await optionsFor(cloud))).rejects.toMatchObject({
    code: 'SP_DEPLOY_TENANT_NOT_READY',
    step: 'preflight',
    status: 'provisioning',
  });
});

test.each([
  ['/status', 401, 'preflight', 'SP_API_UNAUTHORIZED'],
  ['/registry-token', 404, 'preflight', 'SP_API_NOT_FOUND'],
  ['/secrets', 403, 'secrets', 'SP_API_FORBIDDEN'],
  ['/deploy', 409, 'deploy', 'SP_API_CONFLICT'],
])('a refusal of %s (%i) names the step %s and keeps the cause', async (path, status, step, code) => {
  const cloud = await fakeCloud();
  cloud.refused.set(path, status);
  const error: unknown = await collect(await optionsFor(cloud, { secrets: { A: 'planted-value' } })).catch(
    (reason: unknown) => reason,
  );
  expect(error).toMatchObject({ code: 'SP_DEPLOY_API_FAILED', step, tenantId: 't_1', cause: { code } });
  for (const secret of ['planted-value', registryPassword, 'api-token-value']) {
    expect(inspect(error, { depth: 9 }) + JSON.stringify({ ...(error as object) })).not.toContain(secret);
  }
  expect(cloud.requests.includes('POST /deploy')).toBe(path === '/deploy');
});

test('an incomplete project fails at its step with its findings', async () => {
  const cloud = await fakeCloud();
  const options = await optionsFor(cloud);
  await rm(join(options.planOptions?.projectRoot ?? '', 'services'), { recursive: true });
  await expect(collect(options)).rejects.toMatchObject({
    code: 'SP_DEPLOY_PROJECT_INCOMPLETE',
    step: 'plan',
    findings: expect.arrayContaining([{ path: 'services', problem: 'missing' }]),
  });
});

test('a plan made before is deployed as it is', async () => {
  const cloud = await fakeCloud();
  const { planOptions, ...options } = await optionsFor(cloud);
  if (planOptions === undefined) throw new Error('no plan options');
  const plan = await planImage(planOptions);
  expect(resultOf(await collect({ ...options, plan: { ...plan, labels: { own: 'yes' } } }))).toMatchObject({
    status: 'running',
  });
});

test('it can be given up by a signal, and by a consumer that stops', async () => {
  const cloud = await fakeCloud();
  cloud.deployAnswer = { status: 'deploying' };
  cloud.statuses = [{ status: 'running' }, { status: 'deploying' }];
  const controller = new AbortController();
  const options = await optionsFor(cloud, { signal: controller.signal });
  const failing = (async () => {
    for await (const event of deploy(options)) {
      if (event.type === 'step-started' && event.step === 'health') controller.abort();
    }
  })();
  await expect(failing).rejects.toMatchObject({ code: 'SP_DEPLOY_ABORTED', step: 'health' });

  for await (const event of deploy(await optionsFor(cloud))) {
    if (event.type === 'step-started' && event.step === 'health') break;
  }
  const asked = cloud.requests.length;
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(cloud.requests).toHaveLength(asked);
});
