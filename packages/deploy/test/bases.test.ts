import { execFile, execFileSync } from 'node:child_process';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inspect, promisify } from 'node:util';
import {
  buildImage,
  buildLayer,
  createBlobStore,
  createDiskRegistryStorage,
  createRegistryHandler,
  type LayerEntry,
  saveOciLayout,
} from '@sp/oci';
import { expect, onTestFinished, test } from 'vitest';
import { createOciBuilder, type DeploySource, deploy, imageName, planDeploy, planImage } from '../src/index.ts';
import { fakeCloud } from './fake-cloud.ts';
import { fixtureProject, temporaryFolder, writeFiles } from './fixture-project.ts';
import { hostPrograms } from './host-programs.ts';
import { needsDocker } from './needs-docker.ts';
import { amd64, arm64, password, privateBase } from './private-base.ts';
import { serve, testRegistry } from './registry-server.ts';

async function source(base: string, changes: Partial<DeploySource> = {}) {
  const cloud = await fakeCloud();
  cloud.releases = [];
  const planOptions = { projectRoot: await fixtureProject(), profileName: 'production', base };
  const options = { api: cloud.api, tenantId: 't_1', planOptions, cacheDirectory: await temporaryFolder(), ...changes };
  return { cloud, options: options as DeploySource };
}

test('a deploy on an image of a registry: planned, pinned, and exactly that', async () => {
  const { reference, requests, move, login } = await privateBase();
  const { cloud, options } = await source(`${reference}:v1`, { baseRegistry: login });
  const plan = await planDeploy(options);
  expect(plan).toMatchObject({ builder: 'oci', changes: true });
  expect(plan.base).toMatch(new RegExp(`^${reference}:v1@sha256:[0-9a-f]{64}$`));
  expect(requests).toHaveLength(2);
  for await (const event of deploy({ ...options, ...plan.expected, pollIntervalMs: 5 })) {
    if (event.type === 'deploy-completed') expect(event.result.digest).toBe(plan.digest);
  }
  // What the plan got is not got again.
  expect(requests).toHaveLength(2);
  const stored = await cloud.storage.readManifest(cloud.target.repository, cloud.target.tag);
  const manifest = JSON.parse(Buffer.from(stored?.bytes ?? []).toString()) as {
    annotations: object;
    config: { digest: `sha256:${string}` };
    layers: object[];
  };
  expect(manifest.layers).toHaveLength(6);
  expect(manifest.annotations).toEqual({
    'org.opencontainers.image.base.name': `${reference}:v1`,
    'org.opencontainers.image.base.digest': plan.base?.split('@')[1],
  });
  const config = JSON.parse(await readFile(cloud.storage.blobs.path(manifest.config.digest), 'utf8')) as object;
  expect(config).toMatchObject({
    architecture: 'amd64',
    config: { Env: expect.arrayContaining(['PATH=/app/bin:/base:/bin']) as string[] },
  });

  // The tag moves: what was planned is no longer what would be deployed.
  await move('two');
  const refused = (async () => {
    for await (const event of deploy({ ...options, ...plan.expected, pollIntervalMs: 5 })) expect(event).toBeDefined();
  })();
  await expect(refused).rejects.toMatchObject({ code: 'SP_DEPLOY_PROJECT_CHANGED' });
  const pinned = { ...options, planOptions: { ...options.planOptions, base: plan.base } } as DeploySource;
  expect((await planDeploy(pinned)).base).toBe(plan.base);
});

test('the platform decides, and another one is refused before anything is pushed', async () => {
  const { reference, login } = await privateBase();
  const projectRoot = await fixtureProject();
  const builder = createOciBuilder({ cacheDirectory: await temporaryFolder(), baseRegistry: login });
  const build = async (base: string, platform?: typeof amd64) => {
    const plan = await planImage({ projectRoot, profileName: 'production', base, platform });
    const built = await builder.build(plan, { name: 'registry.test/a:b' });
    if (built.kind !== 'oci') throw new Error('not an OCI image');
    return JSON.parse(await readFile(built.blobs[0]!.path(built.image.config.digest), 'utf8')) as object;
  };
  expect(await build(`${reference}:v1`)).toMatchObject({ architecture: 'amd64' });
  expect(await build(`${reference}:v1`, arm64)).toMatchObject({ architecture: 'arm64' });
  expect(await build('scratch', arm64)).toMatchObject({ architecture: 'arm64' });
  for (const [tag, platform] of [
    ['arm64', undefined],
    ['amd64', arm64],
    ['v1', { os: 'windows', architecture: 'amd64' }],
  ] as const) {
    await expect(build(`${reference}:${tag}`, platform)).rejects.toMatchObject({
      code: 'SP_DEPLOY_BASE_UNSUPPORTED',
      cause: { code: 'SP_OCI_PLATFORM' },
    });
  }
  const { cloud, options } = await source(`${reference}:arm64`, { baseRegistry: login });
  await expect(planDeploy(options)).rejects.toMatchObject({ code: 'SP_DEPLOY_BASE_UNSUPPORTED' });
  expect(await cloud.storage.listTags(cloud.target.repository)).toBeUndefined();
});

test('a layout and a docker-save archive on disk are bases', async () => {
  const projectRoot = await fixtureProject();
  const folder = await temporaryFolder();
  const blobs = createBlobStore(folder);
  const layer = await buildLayer([{ type: 'bytes', path: 'etc/base', content: Buffer.from('base') }], {
    blobs,
    compression: 'none',
  });
  const image = await buildImage({ layers: [layer], config: amd64, blobs });
  await saveOciLayout(join(folder, 'layout'), image, { blobs });
  const files = await temporaryFolder();
  await writeFile(join(files, 'layer.tar'), await readFile(blobs.path(layer.descriptor.digest)));
  await writeFile(join(files, 'config.json'), await readFile(blobs.path(image.config.digest)));
  const manifest = [{ Config: 'config.json', RepoTags: ['base:v1'], Layers: ['layer.tar'] }];
  await writeFile(join(files, 'manifest.json'), JSON.stringify(manifest));
  execFileSync('tar', ['-cf', join(folder, 'base.tar'), '-C', files, '.']);

  const builder = createOciBuilder({ cacheDirectory: await temporaryFolder(), baseDirectory: folder });
  for (const base of ['oci:layout', 'docker-archive:base.tar', `docker-archive:${folder}/base.tar`]) {
    const { target, storage } = await testRegistry();
    const plan = await planImage({ projectRoot, profileName: 'production', base, platform: amd64 });
    const built = await builder.build(plan, { name: imageName(target) });
    expect(built.kind === 'oci' && built.image.diffIds[0]).toBe(layer.diffId);
    const { digest } = await builder.push(built, target);
    expect(await storage.resolve(target.repository, target.tag)).toMatchObject({ digest });
    const wrong = await planImage({ projectRoot, profileName: 'production', base, platform: arm64 });
    await expect(builder.build(wrong, { name: 'x' })).rejects.toMatchObject({ code: 'SP_DEPLOY_BASE_UNSUPPORTED' });
  }
});

test('a base that could not run the health check gets none, and the plan says so', async () => {
  const script = Buffer.from('#!/bin/sh\n');
  const program = (path: string): LayerEntry => ({ type: 'bytes', path, content: script, mode: 0o755 });
  const cases: readonly (readonly [readonly LayerEntry[], boolean])[] = [
    [[], false],
    [[program('bin/sh')], false],
    [[program('usr/local/bin/curl')], false],
    [[program('etc/bin/sh'), program('home/wget')], false],
    [[program('bin/sh'), { type: 'symlink', path: 'usr/bin/wget', target: '/bin/busybox' }], true],
    [[program('usr/bin/sh'), program('usr/bin/curl')], true],
  ];
  for (const [entries, expected] of cases) {
    const { reference, login } = await privateBase({ entries });
    const { cloud, options } = await source(`${reference}:v1`, { baseRegistry: login });
    const plan = await planDeploy(options);
    expect(plan.healthCheck).toBe(expected);
    const progress: string[] = [];
    for await (const event of deploy({ ...options, ...plan.expected, pollIntervalMs: 5 })) {
      if (event.type === 'step-progress') progress.push(event.message);
    }
    const told = `no health check in the image: nothing in ${reference}:v1 could run it`;
    expect(progress.includes(told)).toBe(!expected);
    const stored = await cloud.storage.readManifest(cloud.target.repository, cloud.target.tag);
    const { config } = JSON.parse(Buffer.from(stored?.bytes ?? []).toString()) as {
      config: { digest: `sha256:${string}` };
    };
    const text = await readFile(cloud.storage.blobs.path(config.digest), 'utf8');
    expect(text.includes('"Healthcheck"')).toBe(expected);
  }
});

test('a base that cannot be got is a named error without the login', async () => {
  const { reference, login } = await privateBase();
  const projectRoot = await fixtureProject();
  const cacheDirectory = await temporaryFolder();
  const build = async (base: string, client: typeof login | undefined): Promise<unknown> => {
    const plan = await planImage({ projectRoot, profileName: 'production', base });
    const builder = createOciBuilder({ cacheDirectory, baseRegistry: client ?? (() => ({ retries: 0 })) });
    return builder.build(plan, { name: 'x' }).catch((error: unknown) => error);
  };
  const wrong = () => ({ ...login(), password: `${password}-wrong` });
  const cases = [
    [await build(`${reference}:v1`, wrong), 'SP_DEPLOY_BUILD_FAILED'],
    [await build(`${reference}:v1`, undefined), 'SP_DEPLOY_BUILD_FAILED'],
    [await build('127.0.0.1:1/base:v1', login), 'SP_DEPLOY_BUILD_FAILED'],
    [await build(`${reference}:missing`, login), 'SP_DEPLOY_BASE_UNSUPPORTED'],
    [await build(`${reference}:Not a tag`, login), 'SP_DEPLOY_BASE_UNSUPPORTED'],
    [await build('docker-archive:missing.tar', login), 'SP_DEPLOY_BASE_UNSUPPORTED'],
  ] as const;
  for (const [error, code] of cases) {
    expect(error).toMatchObject({ code });
    expect(inspect(error, { depth: 9 })).not.toContain(password);
  }
  expect(await readdir(cacheDirectory)).not.toContain('layers');
});

test('an engine runs what was built on an image of a registry', async (context) => {
  needsDocker(context);
  const entries = await hostPrograms(['/bin/sh', '/bin/cat']);
  const { reference, login } = await privateBase({ entries });
  const projectRoot = await fixtureProject();
  await writeFiles(projectRoot, {
    'target/release/systemprompt': '#!/bin/sh\necho "$@" on "$(cat /etc/base)" as $0\n',
  });
  const architecture = process.arch === 'arm64' ? 'arm64' : 'amd64';
  const platform = { os: 'linux', architecture };
  const plan = await planImage({ projectRoot, profileName: 'production', base: `${reference}:v1`, platform });
  const storage = createDiskRegistryStorage(await temporaryFolder());
  const registry = await serve(createRegistryHandler({ storage, authorize: () => Promise.resolve({ allow: true }) }));
  const target = { registry, username: 'tenant', token: 'any', repository: 'images', tag: 'tenant-1' };
  const builder = createOciBuilder({ cacheDirectory: await temporaryFolder(), baseRegistry: login });
  await builder.push(await builder.build(plan, { name: imageName(target) }), target);
  onTestFinished(() => void execFileSync('docker', ['rmi', '--force', imageName(target)], { stdio: 'ignore' }));
  // Not execFileSync: the registry that the engine pulls from is in this process.
  const run = ['run', '--rm', '--pull', 'always', '--network', 'none', imageName(target)];
  const { stdout } = await promisify(execFile)('docker', run);
  expect(stdout).toBe(`infra services serve --foreground on one for ${architecture} as /app/bin/systemprompt\n`);
});
