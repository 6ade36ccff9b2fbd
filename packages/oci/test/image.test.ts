import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import {
  buildImage,
  buildLayer,
  createBlobStore,
  digestOf,
  formatImageReference,
  type ImageConfig,
  loadOciLayout,
  parseImageReference,
  saveOciLayout,
} from '../src/index.ts';
import { codeOf, collect, sampleImage, temporaryFolder } from './setup.ts';

const config: ImageConfig = {
  architecture: 'amd64',
  os: 'linux',
  user: '1000:1000',
  env: ['PATH=/bin', 'MODE=production'],
  entrypoint: ['/app/bin/server'],
  cmd: ['serve'],
  workingDir: '/app',
  exposedPorts: [9090, 8080],
  labels: { b: '2', a: '1' },
  healthcheck: { test: ['CMD', '/app/bin/server', 'health'], intervalSeconds: 10, timeoutSeconds: 2.5, retries: 3 },
};

test('the same image has the same digest wherever it is built', async () => {
  await using one = await temporaryFolder();
  await using two = await temporaryFolder();
  const first = await sampleImage(one.path);
  const second = await sampleImage(two.path);
  expect(second.image).toEqual(first.image);
  expect(digestOf(first.image.manifestBytes)).toBe(first.image.manifest.digest);
});

test('the config document says what was asked for, sorted and without a date', async () => {
  await using folder = await temporaryFolder();
  const blobs = createBlobStore(folder.path);
  const layer = await buildLayer([{ type: 'directory', path: 'app' }], { blobs });
  const image = await buildImage({ layers: [layer], config, blobs, annotations: { z: '1', y: '2' } });
  const document = JSON.parse(String(await collect(await blobs.read(image.config.digest)))) as unknown;
  expect(document).toEqual({
    created: '1970-01-01T00:00:00Z',
    architecture: 'amd64',
    os: 'linux',
    config: {
      User: '1000:1000',
      ExposedPorts: { '8080/tcp': {}, '9090/tcp': {} },
      Env: ['PATH=/bin', 'MODE=production'],
      Entrypoint: ['/app/bin/server'],
      Cmd: ['serve'],
      Healthcheck: {
        Test: ['CMD', '/app/bin/server', 'health'],
        Interval: 10_000_000_000,
        Timeout: 2_500_000_000,
        Retries: 3,
      },
      WorkingDir: '/app',
      Labels: { a: '1', b: '2' },
    },
    rootfs: { type: 'layers', diff_ids: [layer.diffId] },
  });
  const { labels, ...rest } = config;
  const shuffled = { labels: { a: '1', b: '2' }, ...rest, exposedPorts: [8080, 9090] };
  const again = await buildImage({ layers: [layer], config: shuffled, blobs, annotations: { y: '2', z: '1' } });
  expect(again.manifest).toEqual(image.manifest);
  expect(labels).toBeDefined();
});

test('an image layout round trip keeps everything, and a second save changes nothing', async () => {
  await using folder = await temporaryFolder();
  const { blobs, image } = await sampleImage(join(folder.path, 'store'));
  const layout = join(folder.path, 'layout');
  await saveOciLayout(layout, image, { blobs, tag: 'v1' });
  const index = await readFile(join(layout, 'index.json'), 'utf8');
  await saveOciLayout(layout, image, { blobs, tag: 'v1' });
  expect(await readFile(join(layout, 'index.json'), 'utf8')).toBe(index);
  expect(JSON.parse(index)).toMatchObject({
    schemaVersion: 2,
    manifests: [{ digest: image.manifest.digest, annotations: { 'org.opencontainers.image.ref.name': 'v1' } }],
  });
  const loaded = await loadOciLayout(layout, { platform: { os: 'linux', architecture: 'amd64' } });
  expect(loaded.image).toMatchObject({ config: image.config, layers: image.layers, diffIds: image.diffIds });
  expect(loaded.image.manifest.digest).toBe(image.manifest.digest);
  expect(loaded.image.imageConfig).toEqual({
    architecture: 'amd64',
    os: 'linux',
    cmd: ['/app/run'],
    exposedPorts: [8080],
  });
});

test('an image on a base inherits its layers and its config', async () => {
  await using folder = await temporaryFolder();
  const { blobs, image } = await sampleImage(join(folder.path, 'store'));
  const base = await buildImage({ layers: [], config, blobs, base: { ...image, imageConfig: config } });
  const layout = join(folder.path, 'layout');
  await saveOciLayout(layout, base, { blobs });
  const loaded = await loadOciLayout(layout);
  const layer = await buildLayer([{ type: 'directory', path: 'more' }], { blobs });
  const built = await buildImage({
    base: loaded.image,
    layers: [layer],
    config: {
      architecture: 'amd64',
      os: 'linux',
      env: ['MODE=test', 'NEW=1'],
      entrypoint: ['/new'],
      labels: { a: '9' },
    },
    blobs,
  });
  expect(built.layers).toEqual([...image.layers, layer.descriptor]);
  expect(built.diffIds).toEqual([...image.diffIds, layer.diffId]);
  const document = JSON.parse(String(await collect(await blobs.read(built.config.digest)))) as { config: unknown };
  expect(document.config).toMatchObject({
    Env: ['PATH=/bin', 'MODE=test', 'NEW=1'],
    Entrypoint: ['/new'],
    WorkingDir: '/app',
    Labels: { a: '9', b: '2' },
  });
  expect(document.config).not.toHaveProperty('Cmd');
  const arm = { architecture: 'arm64', os: 'linux' };
  expect(await codeOf(buildImage({ base: loaded.image, layers: [], config: arm, blobs }))).toBe('SP_OCI_PLATFORM');
});

test('a layout with several platforms needs one, also inside a nested index', async () => {
  await using folder = await temporaryFolder();
  const blobs = createBlobStore(folder.path);
  const build = (architecture: string) => buildImage({ layers: [], config: { architecture, os: 'linux' }, blobs });
  const [amd, arm] = [await build('amd64'), await build('arm64')];
  const inner = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.index.v1+json',
      manifests: [
        { ...amd.manifest, platform: { os: 'linux', architecture: 'amd64' } },
        { ...arm.manifest },
        { ...arm.manifest, platform: { os: 'unknown', architecture: 'unknown' } },
      ],
    }),
  );
  const stored = { mediaType: 'application/vnd.oci.image.index.v1+json', ...(await blobs.write(inner)) };
  await writeFile(join(folder.path, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
  await writeFile(join(folder.path, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests: [stored] }));
  const load = async (architecture: string) =>
    (await loadOciLayout(folder.path, { platform: { os: 'linux', architecture } })).image.manifest.digest;
  expect(await load('amd64')).toBe(amd.manifest.digest);
  expect(await load('arm64')).toBe(arm.manifest.digest);
  expect(await codeOf(load('s390x'))).toBe('SP_OCI_PLATFORM');
  expect(await codeOf(loadOciLayout(folder.path))).toBe('SP_OCI_PLATFORM');
});

test('a folder that is no layout, and a layout with missing or damaged blobs, are named errors', async () => {
  await using folder = await temporaryFolder();
  expect(await codeOf(loadOciLayout(folder.path))).toBe('SP_OCI_DOCUMENT');
  expect(await codeOf(loadOciLayout(join(folder.path, 'missing')))).toBe('SP_OCI_DOCUMENT');
  const { blobs, image, layers } = await sampleImage(join(folder.path, 'store'));
  const layout = join(folder.path, 'layout');
  await mkdir(layout);
  await saveOciLayout(layout, image, { blobs });
  const target = createBlobStore(layout);
  await writeFile(target.path(image.config.digest), '{}');
  expect(await codeOf(loadOciLayout(layout))).toBe('SP_OCI_DIGEST_MISMATCH');
  await rm(target.path(image.config.digest));
  expect(await codeOf(loadOciLayout(layout))).toBe('SP_OCI_BLOB_UNKNOWN');
  await saveOciLayout(layout, image, { blobs });
  await target.delete(layers[0]?.descriptor.digest ?? image.config.digest);
  expect(await codeOf(loadOciLayout(layout))).toBe('SP_OCI_BLOB_UNKNOWN');
});

const digest = digestOf(Buffer.from('x'));

test.each([
  ['nginx', { registry: 'docker.io', repository: 'library/nginx' }, 'docker.io/library/nginx'],
  ['team/app:1.0', { registry: 'docker.io', repository: 'team/app', tag: '1.0' }, 'docker.io/team/app:1.0'],
  ['localhost:5000/app:t', { registry: 'localhost:5000', repository: 'app', tag: 't' }, 'localhost:5000/app:t'],
  ['[::1]:5000/a/b', { registry: '[::1]:5000', repository: 'a/b' }, '[::1]:5000/a/b'],
  [
    `registry.fly.io/app:deploy@${digest}`,
    { registry: 'registry.fly.io', repository: 'app', tag: 'deploy', digest },
    `registry.fly.io/app:deploy@${digest}`,
  ],
])('the reference %s is understood', (text, expected, formatted) => {
  expect(parseImageReference(text)).toEqual(expected);
  expect(formatImageReference(parseImageReference(text))).toBe(formatted);
});

test.each([
  '',
  'UPPER',
  'a b',
  'app:',
  'app@sha256:12',
  'a@b@c',
  'reg.io/',
  'reg.io:x/app',
  'http://reg.io/app',
  'app:-t',
])('the reference %j is refused', (text) => {
  expect(() => parseImageReference(text)).toThrow(expect.objectContaining({ code: 'SP_OCI_REFERENCE' }));
});
