import { existsSync } from 'node:fs';
import { chmod, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import { createDockerBuilder, imageName, planImage, resolveBuilder } from '../src/index.ts';
import { fakeDocker } from './fake-docker.ts';
import { fixtureProject, temporaryFolder } from './fixture-project.ts';

const target = {
  registry: 'registry.test:5000',
  username: 'tenant',
  token: 'docker-token-value',
  repository: 'systemprompt-images',
  tag: 'tenant-1',
};
const name = imageName(target);
const digest = `sha256:${'a'.repeat(64)}`;

test('docker builds from exactly the files and modes of the plan', async () => {
  const { env, calls } = await fakeDocker();
  const projectRoot = await fixtureProject();
  await chmod(join(projectRoot, 'target/release/systemprompt'), 0o755);
  const plan = await planImage({ projectRoot, profileName: 'production' });
  const built = await createDockerBuilder({ env }).build(plan, { name });
  expect(built).toEqual({ kind: 'docker', name });
  const [call] = await calls();
  expect(call?.args.slice(0, 2)).toEqual(['build', '-f']);
  expect(call?.args.slice(3, 5)).toEqual(['-t', name]);
  expect(call?.files.toSorted()).toEqual(
    plan.files.map(({ source, mode }) => `${mode.toString(8)} ${source}`).toSorted(),
  );
  expect(existsSync(call?.args.at(-1) ?? '')).toBe(false);
  // The project's own modes stay as they were.
  expect((await stat(join(projectRoot, 'services/config/config.yaml'))).mode & 0o777).toBe(0o600);
});

test('a push logs in with a private configuration, and the token is in no argument', async () => {
  const { env, calls } = await fakeDocker(
    `if (command === 'push') console.log('tenant-1: digest: ${digest} size: 9');`,
  );
  const configDirectory = await temporaryFolder();
  const builder = createDockerBuilder({ env, configDirectory });
  expect(await builder.push({ kind: 'docker', name }, target)).toEqual({ digest });
  const [context, login, push] = await calls();
  expect(context?.args[0]).toBe('context');
  expect(login?.args).toEqual(['login', target.registry, '-u', 'tenant', '--password-stdin']);
  expect(login?.input).toBe(target.token);
  expect(push?.args).toEqual(['push', name]);
  expect(push?.config).toBe(login?.config);
  expect(push?.config?.startsWith(configDirectory)).toBe(true);
  expect(push?.host).toBe('unix:///run/fake.sock');
  expect(JSON.stringify((await calls()).map(({ args }) => args))).not.toContain(target.token);
  expect(await readdir(configDirectory)).toEqual([]);
});

test('the digest is asked for when the push does not print it', async () => {
  const { env } = await fakeDocker(
    `if (command === 'inspect') console.log('other.test/x@sha256:${'b'.repeat(64)}\\n${target.registry}/${target.repository}@${digest}\\n');`,
  );
  expect(await createDockerBuilder({ env }).push({ kind: 'docker', name }, target)).toEqual({ digest });
});

test('a failing build says what docker said last', async () => {
  const { env } = await fakeDocker(
    `if (command === 'build') { for (let i = 1; i <= 30; i += 1) console.log('line ' + i); console.error('no space left'); process.exitCode = 17; }`,
  );
  const lines: string[] = [];
  const plan = await planImage({ projectRoot: await fixtureProject(), profileName: 'production' });
  const error: unknown = await createDockerBuilder({ env })
    .build(plan, { name, onProgress: ({ message }) => lines.push(message) })
    .catch((reason: unknown) => reason);
  expect(error).toMatchObject({ code: 'SP_DEPLOY_DOCKER_FAILED', command: 'build', exitCode: 17 });
  expect((error as { lastLines: string[] }).lastLines).toHaveLength(20);
  expect((error as { lastLines: string[] }).lastLines).toContain('no space left');
  expect(lines).toHaveLength(31);
});

test('a token that docker prints is taken out', async () => {
  const { env } = await fakeDocker(
    `if (command === 'login') { console.error('denied: bad token ' + input); process.exitCode = 1; }`,
  );
  const configDirectory = await temporaryFolder();
  const error: unknown = await createDockerBuilder({ env, configDirectory })
    .push({ kind: 'docker', name }, target)
    .catch((reason: unknown) => reason);
  expect(error).toMatchObject({
    code: 'SP_DEPLOY_DOCKER_FAILED',
    command: 'login',
    lastLines: ['denied: bad token ***'],
  });
  expect(inspect(error, { depth: 9 }) + JSON.stringify({ ...(error as object) })).not.toContain(target.token);
  expect(await readdir(configDirectory)).toEqual([]);
});

test('docker that is not there, or has no engine, is named', async () => {
  const cacheDirectory = await temporaryFolder();
  const missing = { binary: join(cacheDirectory, 'docker') };
  const { env } = await fakeDocker(
    `if (command === 'version') { console.error('Cannot connect to the Docker daemon'); process.exitCode = 1; }`,
  );
  for (const docker of [missing, { env }]) {
    await expect(resolveBuilder({ choice: 'docker', base: 'scratch', cacheDirectory, docker })).rejects.toMatchObject({
      code: 'SP_DEPLOY_DOCKER_UNAVAILABLE',
    });
  }
});

test('auto takes docker only for a base in which packages are installed', async () => {
  const cacheDirectory = await temporaryFolder();
  const { env } = await fakeDocker();
  const none = { binary: join(cacheDirectory, 'docker') };
  const choose = async (choice: 'auto' | 'oci' | 'docker', base: string, docker: object = { env }): Promise<string> =>
    (await resolveBuilder({ choice, base, cacheDirectory, docker })).kind;
  expect(await choose('auto', 'debian:bookworm-slim')).toBe('docker');
  expect(await choose('auto', 'scratch', none)).toBe('oci');
  expect(await choose('auto', 'oci:/srv/base', none)).toBe('oci');
  expect(await choose('auto', 'docker-archive:/srv/base.tar', none)).toBe('oci');
  expect(await choose('auto', 'registry.test/base:v1', none)).toBe('oci');
  expect(await choose('docker', 'registry.test/base:v1')).toBe('docker');
  expect(await choose('docker', 'scratch')).toBe('docker');
  const unsupported = { code: 'SP_DEPLOY_BASE_UNSUPPORTED' };
  await expect(choose('auto', 'debian:bookworm-slim', none)).rejects.toMatchObject(unsupported);
  await expect(choose('oci', 'debian:bookworm-slim')).rejects.toMatchObject(unsupported);
  await expect(choose('docker', 'oci:/srv/base')).rejects.toMatchObject(unsupported);
  await expect(choose('docker', 'docker-archive:/srv/base.tar')).rejects.toMatchObject(unsupported);
});

test('a running build can be given up', async () => {
  const { env } = await fakeDocker(
    `if (command === 'build') { console.log('building'); setInterval(() => {}, 1000); }`,
  );
  const controller = new AbortController();
  const plan = await planImage({ projectRoot: await fixtureProject(), profileName: 'production' });
  const building = createDockerBuilder({ env }).build(plan, {
    name,
    signal: controller.signal,
    onProgress: () => controller.abort(),
  });
  await expect(building).rejects.toMatchObject({ code: 'SP_DEPLOY_ABORTED' });
});
