import { expect, test } from 'vitest';
import {
  type DeployEvent,
  type DeployOptions,
  type DeployResult,
  deploy,
  releases,
  resumeDeploy,
  rollback,
} from '../src/index.ts';
import { type FakeCloud, fakeCloud, fakeRelease } from './fake-cloud.ts';
import { fixtureProject, temporaryFolder } from './fixture-project.ts';

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

async function collect(events: AsyncIterable<DeployEvent>): Promise<readonly DeployEvent[]> {
  const seen: DeployEvent[] = [];
  for await (const event of events) seen.push(event);
  return seen;
}

async function resultOf(events: AsyncIterable<DeployEvent>): Promise<DeployResult> {
  const last = (await collect(events)).at(-1);
  if (last?.type !== 'deploy-completed') throw new Error(`ended with ${last?.type}`);
  return last.result;
}

const refuse = (code: string, status = 409): Response =>
  Response.json({ error: { code, message: `refused: ${code}` } }, { status });

/** A server that makes a release of what it is asked to deploy, and answers before it is healthy. */
async function cloudWithReleases(): Promise<FakeCloud> {
  const cloud = await fakeCloud();
  cloud.releases = [fakeRelease(1, { status: 'running' })];
  cloud.statuses = [{ status: 'running', app_url: 'https://site.test' }];
  cloud.onDeploy = (body) => {
    const { digest } = body;
    const made = fakeRelease(2, { status: 'deploying', ...(typeof digest === 'string' ? { digest } : {}) });
    cloud.releases?.unshift(made);
    setTimeout(() => {
      made.status = 'running';
    }, 20);
    return Response.json({ data: { status: 'deploying', release_id: made.id, digest: made.digest } });
  };
  return cloud;
}

test('a deploy is followed by its release, and says which one it is', async () => {
  const cloud = await cloudWithReleases();
  const events = await collect(deploy(await optionsFor(cloud)));
  expect(events.find((event) => event.type === 'step-completed' && event.step === 'deploy')).toMatchObject({
    facts: { operationId: 'r-2' },
  });
  expect(events.at(-1)).toMatchObject({
    result: { operationId: 'r-2', release: 2, status: 'running', appUrl: 'https://site.test' },
  });
});

test('a crash is told at once, with the last lines of the machine', async () => {
  const cloud = await cloudWithReleases();
  cloud.onDeploy = () => {
    const facts = { status: 'failed', failure: 'exited with code 3', log_lines: ['going', 'down'] };
    cloud.releases?.unshift(fakeRelease(2, facts));
    return Response.json({ data: { status: 'deploying', release_id: 'r-2' } });
  };
  await expect(collect(deploy(await optionsFor(cloud)))).rejects.toMatchObject({
    code: 'SP_DEPLOY_UNHEALTHY',
    step: 'health',
    operationId: 'r-2',
    release: 2,
    status: 'running',
    lastLines: ['going', 'down'],
    message: expect.stringMatching(/exited with code 3$/),
  });
});

test('a deploy that was given up is taken up again, or run again, and happens once', async () => {
  const cloud = await cloudWithReleases();
  const controller = new AbortController();
  const options = await optionsFor(cloud, { signal: controller.signal, secrets: { LOG_LEVEL: 'debug' } });
  const failure: unknown = await (async () => {
    for await (const event of deploy(options)) {
      if (event.type === 'step-started' && event.step === 'health') controller.abort();
    }
  })().catch((error: unknown) => error);
  expect(failure).toMatchObject({ code: 'SP_DEPLOY_ABORTED', step: 'health', operationId: 'r-2' });
  const { operationId } = failure as { operationId: string };
  expect(await resultOf(resumeDeploy({ ...options, operationId, signal: undefined }))).toMatchObject({
    operationId: 'r-2',
    release: 2,
    status: 'running',
    appUrl: 'https://site.test',
  });

  // Run again while the server is still at it: the same deploy goes on.
  const [made] = cloud.releases ?? [];
  if (made === undefined) throw new Error('no release');
  made.status = 'deploying';
  cloud.onDeploy = () => {
    setTimeout(() => {
      made.status = 'running';
    }, 20);
    return refuse('deploy_in_progress');
  };
  expect(await resultOf(deploy({ ...options, signal: undefined }))).toMatchObject({ release: 2, status: 'running' });
  expect(cloud.releases).toHaveLength(2);
});

test.each(['preflight', 'plan', 'build', 'push', 'secrets', 'deploy', 'health'])(
  'Ctrl-C at %s leaves a state from which the same deploy works',
  async (step) => {
    const cloud = await cloudWithReleases();
    const controller = new AbortController();
    const options = await optionsFor(cloud, { secrets: { LOG_LEVEL: 'debug' } });
    const given = (async () => {
      for await (const event of deploy({ ...options, signal: controller.signal })) {
        if (event.type === 'step-started' && event.step === step) controller.abort();
      }
    })();
    await expect(given).rejects.toMatchObject({ code: 'SP_DEPLOY_ABORTED' });
    const result = await resultOf(deploy(options));
    expect(result.status).toBe('running');
    const { target, storage } = cloud;
    expect((await storage.resolve(target.repository, target.tag))?.digest).toBe(result.digest);
  },
);

test('an answer that is lost does not make a second release', async () => {
  const cloud = await cloudWithReleases();
  const start = cloud.onDeploy;
  cloud.onDeploy = (body) => {
    start?.(body);
    return refuse('bad_gateway', 502);
  };
  expect(await resultOf(deploy(await optionsFor(cloud)))).toMatchObject({ release: 2, status: 'running' });
});

test('of two deploys the second learns who is at it, and since when', async () => {
  const cloud = await cloudWithReleases();
  cloud.onDeploy = () => {
    cloud.releases?.unshift(fakeRelease(2, { status: 'deploying', created_by: 'bob@example.com' }));
    return refuse('deploy_in_progress');
  };
  await expect(collect(deploy(await optionsFor(cloud)))).rejects.toMatchObject({
    code: 'SP_DEPLOY_IN_PROGRESS',
    step: 'deploy',
    operationId: 'r-2',
    release: 2,
    startedBy: 'bob@example.com',
    startedAt: new Date('2026-01-02T03:04:05.000Z'),
  });
});

test('the same image under way with other secrets is somebody else’s deploy', async () => {
  const cloud = await cloudWithReleases();
  cloud.diff = { added: [], changed: [], removed: [], remote_only: [], version: 2 };
  const before = fakeRelease(2, { status: 'deploying' });
  cloud.releases = [before, fakeRelease(1, { status: 'running' })];
  cloud.onDeploy = (body) => {
    cloud.releases = [{ ...before, digest: String(body['digest']) }, fakeRelease(1, { status: 'running' })];
    return refuse('deploy_in_progress');
  };
  await expect(collect(deploy(await optionsFor(cloud)))).rejects.toMatchObject({ code: 'SP_DEPLOY_IN_PROGRESS' });
});

test('a deploy is refused when the remote has moved: before the build, and at the last moment', async () => {
  const cloud = await cloudWithReleases();
  const moved = { code: 'SP_DEPLOY_REMOTE_MOVED', release: 1 };
  await expect(collect(deploy(await optionsFor(cloud, { expectedRelease: 0 })))).rejects.toMatchObject({
    ...moved,
    step: 'preflight',
  });
  await expect(collect(deploy(await optionsFor(cloud, { expectedSecretsVersion: 7 })))).rejects.toMatchObject({
    ...moved,
    step: 'preflight',
  });
  expect(cloud.requests).not.toContain('POST /deploy');
  cloud.onDeploy = (body) => (body['expected_release'] === 1 ? refuse('release_moved') : undefined);
  await expect(collect(deploy(await optionsFor(cloud, { expectedRelease: 1 })))).rejects.toMatchObject({
    ...moved,
    step: 'deploy',
    cause: { serverCode: 'release_moved' },
  });
  cloud.onDeploy = () => refuse('digest_mismatch');
  await expect(collect(deploy(await optionsFor(cloud)))).rejects.toMatchObject({ ...moved, step: 'deploy' });
});

test('a project that is not what was planned is refused before anything is sent', async () => {
  const cloud = await cloudWithReleases();
  const expectedDigest = `sha256:${'0'.repeat(64)}`;
  await expect(collect(deploy(await optionsFor(cloud, { expectedDigest })))).rejects.toMatchObject({
    code: 'SP_DEPLOY_PROJECT_CHANGED',
    step: 'build',
  });
  expect(await cloud.storage.resolve(cloud.target.repository, cloud.target.tag)).toBeUndefined();
});

test('names that nobody may set are refused first, all at once', async () => {
  const cloud = await cloudWithReleases();
  const secrets = { FLY_APP_NAME: 'planted', 'not-a-name': 'planted', GOOD: 'planted' };
  const error: unknown = await collect(deploy(await optionsFor(cloud, { secrets }))).catch((reason: unknown) => reason);
  expect(error).toMatchObject({
    code: 'SP_DEPLOY_SECRET_REFUSED',
    step: 'preflight',
    names: ['FLY_APP_NAME', 'not-a-name'],
  });
  expect(String(error)).not.toContain('planted');
  expect(cloud.requests).toEqual([]);
});

test('variables that are not in the secrets are removed only when asked for', async () => {
  const cloud = await cloudWithReleases();
  await collect(deploy(await optionsFor(cloud, { secrets: { LOG_LEVEL: 'debug' } })));
  expect(cloud.requests.filter((request) => request.startsWith('DELETE'))).toEqual([]);
  const again = await cloudWithReleases();
  await collect(deploy(await optionsFor(again, { secrets: { LOG_LEVEL: 'debug' }, pruneSecrets: true })));
  expect(again.requests.filter((request) => request.startsWith('DELETE'))).toEqual(['DELETE /secrets/OLD']);
});

test('a rollback is a release of its own, in two steps', async () => {
  const cloud = await cloudWithReleases();
  const options = { api: cloud.api, tenantId: 't_1', pollIntervalMs: 5 };
  const events = await collect(rollback({ ...options, release: 1, expectedRelease: 1 }));
  expect(events.flatMap((event) => (event.type === 'step-started' ? [event.step] : []))).toEqual(['deploy', 'health']);
  expect(events.at(-1)).toMatchObject({ result: { release: 2, operationId: 'r-2', status: 'running' } });
  expect(cloud.bodies['/rollback']).toEqual({ release: 1, expected_release: 1 });
  expect((await releases(options)).map(({ number }) => number)).toEqual([2, 1]);

  for (const [code, status, expected] of [
    ['no_earlier_release', 409, 'SP_DEPLOY_RELEASE_NOT_FOUND'],
    ['release_not_found', 404, 'SP_DEPLOY_RELEASE_NOT_FOUND'],
    ['release_moved', 409, 'SP_DEPLOY_REMOTE_MOVED'],
    ['tenant_busy', 409, 'SP_DEPLOY_API_FAILED'],
  ] as const) {
    cloud.onDeploy = () => refuse(code, status);
    await expect(collect(rollback(options))).rejects.toMatchObject({ code: expected, step: 'deploy' });
  }
  cloud.onDeploy = () => refuse('deploy_in_progress');
  cloud.releases?.unshift(fakeRelease(3, { status: 'deploying' }));
  await expect(collect(rollback(options))).rejects.toMatchObject({
    code: 'SP_DEPLOY_IN_PROGRESS',
    operationId: 'r-3',
    startedBy: 'ada@example.com',
  });
});

test('a deploy that nobody knows cannot be taken up; one that ended is told as it ended', async () => {
  const cloud = await cloudWithReleases();
  const options = { api: cloud.api, tenantId: 't_1', pollIntervalMs: 5 };
  await expect(collect(resumeDeploy({ ...options, operationId: 'r-9' }))).rejects.toMatchObject({
    code: 'SP_DEPLOY_RELEASE_NOT_FOUND',
    step: 'health',
    operationId: 'r-9',
  });
  cloud.releases?.push(fakeRelease(0, { status: 'superseded' }));
  expect(await resultOf(resumeDeploy({ ...options, operationId: 'r-0' }))).toMatchObject({ status: 'superseded' });
});

test('time that runs out names the deploy that goes on', async () => {
  const cloud = await cloudWithReleases();
  cloud.releases = [fakeRelease(2, { status: 'deploying' })];
  const wait = { api: cloud.api, tenantId: 't_1', pollIntervalMs: 5, healthTimeoutMs: 20 };
  await expect(collect(resumeDeploy({ ...wait, operationId: 'r-2' }))).rejects.toMatchObject({
    code: 'SP_DEPLOY_TIMEOUT',
    operationId: 'r-2',
    status: 'deploying',
  });
});
