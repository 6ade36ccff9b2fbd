import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import {
  buildImage,
  buildLayer,
  createBlobStore,
  createDiskRegistryStorage,
  createRegistryClient,
  createRegistryHandler,
  loadBaseImage,
} from '../src/index.ts';
import { serve } from './serve.ts';
import { noise, temporaryFolder } from './setup.ts';

const run = promisify(execFile);

async function dockerAnswers(): Promise<boolean> {
  try {
    const { stdout } = await run('docker', ['info', '--format', '{{.ServerVersion}}'], { timeout: 60_000 });
    return /^[0-9]/.test(stdout);
  } catch {
    return false;
  }
}

test('a Docker engine pulls what the client pushed, and pushes it back', async (context) => {
  if (!(await dockerAnswers())) {
    if ((process.env['SP_REQUIRE'] ?? '').split(',').includes('docker')) throw new Error('no Docker engine answers');
    context.skip('needs docker');
  }
  await using folder = await temporaryFolder();
  const blobs = createBlobStore(join(folder.path, 'client'));
  const layers = [
    await buildLayer([{ type: 'bytes', path: 'app/data', content: noise(2_000_000, 4), mode: 0o755 }], { blobs }),
    await buildLayer([{ type: 'bytes', path: `app/${'ü'.repeat(80)}.txt`, content: Buffer.from('x') }], { blobs }),
  ];
  const config = {
    architecture: 'amd64',
    os: 'linux',
    user: '1000:1000',
    env: ['MODE=production'],
    entrypoint: ['/app/data'],
    cmd: ['serve'],
    workingDir: '/app',
    exposedPorts: [8080],
    labels: { 'test.label': 'yes' },
    healthcheck: { test: ['CMD', '/app/data', 'health'], intervalSeconds: 10, retries: 3 },
  };
  const image = await buildImage({ layers, config, blobs });
  const storage = createDiskRegistryStorage(join(folder.path, 'registry'));
  await using server = await serve(
    createRegistryHandler({ storage, authorize: () => Promise.resolve({ allow: true }) }),
  );
  const client = createRegistryClient({ registry: server.host });
  await client.pushImage(image, { repository: 'tests/app', reference: 'v1', blobs: [blobs] });
  const names = [`${server.host}/tests/app:v1`, `${server.host}/tests/back:v1`] as const;
  try {
    await run('docker', ['pull', names[0]]);
    const { stdout } = await run('docker', ['inspect', names[0]]);
    expect(JSON.parse(stdout)).toMatchObject([
      {
        RepoDigests: [`${server.host}/tests/app@${image.manifest.digest}`],
        Architecture: 'amd64',
        Config: {
          User: '1000:1000',
          Env: ['MODE=production'],
          Entrypoint: ['/app/data'],
          Cmd: ['serve'],
          WorkingDir: '/app',
          ExposedPorts: { '8080/tcp': {} },
          Labels: { 'test.label': 'yes' },
          Healthcheck: { Test: ['CMD', '/app/data', 'health'], Interval: 10_000_000_000, Retries: 3 },
        },
        RootFS: { Layers: image.diffIds },
      },
    ]);
    await run('docker', ['tag', ...names]);
    await run('docker', ['push', names[1]]);
    expect(await storage.listTags('tests/back')).toEqual(['v1']);
    expect((await client.getManifest('tests/back', 'v1')).descriptor.mediaType).toMatch(/manifest\.v[12]\+json$/);
    const archive = join(folder.path, 'saved.tar');
    await run('docker', ['save', '-o', archive, names[0]]);
    const platform = { os: 'linux', architecture: 'amd64' };
    const base = await loadBaseImage(`docker-archive:${archive}`, {
      platform,
      cacheDirectory: join(folder.path, 'cache'),
    });
    expect(base?.image.diffIds).toEqual(image.diffIds);
    expect(base?.image.imageConfig).toMatchObject(config);
  } finally {
    for (const name of names) await run('docker', ['image', 'rm', name]).catch(() => {});
  }
});
