import { execFile } from 'node:child_process';
import { cp, mkdir, readdir, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises';
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
  digestOf,
  loadBaseImage,
  readLayer,
  saveOciLayout,
} from '../src/index.ts';
import { serve } from './serve.ts';
import { codeOf, collect, noise, sampleImage, temporaryFolder } from './setup.ts';

const run = promisify(execFile);
const amd64 = { os: 'linux', architecture: 'amd64' };
const arm64 = { os: 'linux', architecture: 'arm64' };

test('scratch is no image, a layout is used where it is', async () => {
  await using folder = await temporaryFolder();
  const options = { platform: amd64, cacheDirectory: join(folder.path, 'cache') };
  expect(await loadBaseImage('scratch', options)).toBeUndefined();
  const { blobs, image } = await sampleImage(join(folder.path, 'store'));
  const layout = join(folder.path, 'layout');
  await saveOciLayout(layout, image, { blobs });
  const base = await loadBaseImage(`oci:${layout}`, options);
  expect(base?.image).toMatchObject({ manifest: image.manifest, imageConfig: { cmd: ['/app/run'] } });
  expect(base?.pinned).toBeUndefined();
  expect(await codeOf(loadBaseImage(`oci:${layout}`, { ...options, platform: arm64 }))).toBe('SP_OCI_PLATFORM');
  expect(await readdir(folder.path)).toEqual(['layout', 'store']);
});

/** What `docker save` of an old engine writes: uncompressed layers in folders, equal ones as links. */
async function dockerArchive(folder: string, change: (files: string) => Promise<unknown> = () => Promise.resolve()) {
  const { blobs, image } = await sampleImage(join(folder, 'store'), { size: 2_500_000 });
  const files = join(folder, 'files');
  const layers: string[] = [];
  for (const [index, layer] of image.layers.entries()) {
    await mkdir(join(files, `layer-${index}`), { recursive: true });
    await writeFile(join(files, `layer-${index}`, 'layer.tar'), await collect(readLayer(blobs, layer)));
    layers.push(`layer-${index}/layer.tar`);
  }
  await mkdir(join(files, 'linked'));
  await symlink('../layer-1/layer.tar', join(files, 'linked', 'layer.tar'));
  const config = JSON.parse(String(await readFile(blobs.path(image.config.digest)))) as {
    rootfs: { diff_ids: string[] };
  };
  config.rootfs.diff_ids.push(image.diffIds[1] ?? '');
  await writeFile(join(files, 'config.json'), JSON.stringify(config));
  const manifest = [{ Config: 'config.json', RepoTags: ['app:v1'], Layers: [...layers, 'linked/layer.tar'] }];
  await writeFile(join(files, 'manifest.json'), JSON.stringify(manifest));
  await change(files);
  const archive = join(folder, 'image.tar');
  await run('tar', ['-cf', archive, '-C', files, '.']);
  return { archive, image };
}

test('what docker saved is a base, and is unpacked once', async () => {
  await using folder = await temporaryFolder();
  const { archive, image } = await dockerArchive(folder.path);
  const cacheDirectory = join(folder.path, 'cache');
  const load = (platform = amd64) => loadBaseImage(`docker-archive:${archive}`, { platform, cacheDirectory });
  const base = await load();
  if (base === undefined) throw new Error('no image');
  const [large, little] = image.diffIds;
  expect(base.image.diffIds).toEqual([large, little, little]);
  // Compressed as our own layers are, so equal tar streams are equal blobs.
  expect(base.image.layers.map(({ digest }) => digest)).toEqual([0, 1, 1].map((index) => image.layers[index]?.digest));
  expect(base.image.imageConfig).toMatchObject({ cmd: ['/app/run'], architecture: 'amd64' });
  const layer = await buildLayer([{ type: 'directory', path: 'more' }], { blobs: base.blobs });
  const built = await buildImage({ base: base.image, layers: [layer], config: amd64, blobs: base.blobs });
  expect(built.diffIds).toHaveLength(4);

  await truncate(base.blobs.path(base.image.layers[0]?.digest ?? base.image.config.digest), 10);
  expect(await load()).toMatchObject({ image: { manifest: base.image.manifest } });
  expect(digestOf(await collect(readLayer(base.blobs, base.image.layers[0] ?? base.image.config)))).toBe(large);
  expect(await codeOf(load(arm64))).toBe('SP_OCI_PLATFORM');
});

test.each<[string, string, (files: string) => Promise<unknown>]>([
  ['without manifest.json', 'SP_OCI_DOCUMENT', (files) => rm(join(files, 'manifest.json'))],
  ['with a broken manifest.json', 'SP_OCI_DOCUMENT', (files) => writeFile(join(files, 'manifest.json'), '[{')],
  [
    'with a strange manifest.json',
    'SP_OCI_DOCUMENT',
    (files) => writeFile(join(files, 'manifest.json'), '[{"Config":1}]'),
  ],
  ['without a layer', 'SP_OCI_DOCUMENT', (files) => rm(join(files, 'layer-0'), { recursive: true })],
  [
    'with links in a circle',
    'SP_OCI_DOCUMENT',
    async (files) => {
      await rm(join(files, 'layer-0', 'layer.tar'));
      await symlink('layer.tar', join(files, 'layer-0', 'layer.tar'));
    },
  ],
  [
    'with another layer',
    'SP_OCI_DIGEST_MISMATCH',
    (files) => cp(join(files, 'layer-1'), join(files, 'layer-0'), { recursive: true }),
  ],
])('an archive %s is %s', async (_what, code, change) => {
  await using folder = await temporaryFolder();
  const { archive } = await dockerArchive(folder.path, change);
  const options = { platform: amd64, cacheDirectory: join(folder.path, 'cache') };
  expect(await codeOf(loadBaseImage(`docker-archive:${archive}`, options))).toBe(code);
});

test('a file that is no archive, a cut one and a missing one are named errors', async () => {
  await using folder = await temporaryFolder();
  const { archive } = await dockerArchive(folder.path);
  const load = (file: string) =>
    codeOf(loadBaseImage(`docker-archive:${file}`, { platform: amd64, cacheDirectory: join(folder.path, 'cache') }));
  await truncate(archive, 100_000);
  expect(await load(archive)).toBe('SP_OCI_DOCUMENT');
  await writeFile(archive, noise(10_000, 1));
  expect(await load(archive)).toBe('SP_OCI_DOCUMENT');
  expect(await load(join(folder.path, 'missing'))).toBe('SP_OCI_NOT_FOUND');
  for (const noFile of [folder.path, '/dev/zero']) expect(await load(noFile)).toBe('SP_OCI_DOCUMENT');
});

/** A registry that wants a login, with an index of an image for two platforms under `base:v1`. */
async function registryWithIndex() {
  const folder = await temporaryFolder();
  const storage = createDiskRegistryStorage(join(folder.path, 'registry'));
  const handler = createRegistryHandler({ storage, authorize: () => Promise.resolve({ allow: true }) });
  const blobs = createBlobStore(join(folder.path, 'client'));
  const images = [];
  const local = createRegistryClient({
    registry: 'registry.test',
    fetch: (input, init) => handler(new Request(input, init)),
  });
  for (const [seed, platform] of [amd64, arm64].entries()) {
    const layers = [await buildLayer([{ type: 'bytes', path: 'os', content: noise(400_000, seed + 1) }], { blobs })];
    const image = await buildImage({ layers, config: platform, blobs });
    await local.pushImage(image, { repository: 'base', reference: platform.architecture, blobs: [blobs] });
    images.push({ ...image.manifest, platform });
  }
  const mediaType = 'application/vnd.oci.image.index.v1+json';
  const index = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, manifests: images }));
  await storage.writeManifest('base', { bytes: index, mediaType, tag: 'v1' });
  const requests: string[] = [];
  const server = await serve((request) => {
    const { pathname, origin } = new URL(request.url);
    requests.push(`${request.method} ${pathname}`);
    const login = request.headers.get('authorization');
    if (pathname === '/token') {
      const good = login === `Basic ${Buffer.from('me:pa55').toString('base64')}`;
      return Promise.resolve(
        good ? Response.json({ token: 'a-token', expires_in: 60 }) : new Response(null, { status: 401 }),
      );
    }
    const challenge = { 'www-authenticate': `Bearer realm="${origin}/token",service="test"` };
    if (login !== 'Bearer a-token') return Promise.resolve(new Response(null, { status: 401, headers: challenge }));
    return handler(request);
  });
  const cacheDirectory = join(folder.path, 'cache');
  const client = () => ({ username: 'me', password: 'pa55', retries: 0 });
  return {
    storage,
    server,
    requests,
    images,
    index,
    cacheDirectory,
    load: (reference: string, platform = amd64) =>
      loadBaseImage(`${server.host}/${reference}`, { platform, cacheDirectory, client }),
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

test('an image of a registry is chosen by platform, pinned, verified and kept', async () => {
  await using registry = await registryWithIndex();
  const { server, requests, images, index } = registry;
  const base = await registry.load('base:v1');
  expect(base?.image.manifest.digest).toBe(images[0]?.digest);
  expect(base?.image.imageConfig.architecture).toBe('amd64');
  expect(base?.pinned).toBe(`${server.host}/base:v1@${digestOf(index)}`);
  const layer = base?.image.layers[0];
  if (base === undefined || layer === undefined) throw new Error('no layer');
  expect(digestOf(await collect(readLayer(base.blobs, layer)))).toBe(base.image.diffIds[0]);
  requests.length = 0;
  expect((await registry.load('base:v1'))?.image).toEqual(base.image);
  expect(requests.filter((request) => !request.endsWith('/token'))).toEqual([
    'HEAD /v2/base/manifests/v1',
    'HEAD /v2/base/manifests/v1',
  ]);
  expect((await registry.load('base:v1', arm64))?.image.manifest.digest).toBe(images[1]?.digest);
  expect((await registry.load(`base@${digestOf(index)}`, arm64))?.image.manifest.digest).toBe(images[1]?.digest);
  // Pinned and kept: nobody is asked, and nobody needs to be there.
  await server[Symbol.asyncDispose]();
  const pinned = base.pinned?.split('/').slice(1).join('/') ?? '';
  expect((await registry.load(pinned))?.image).toEqual(base.image);
});

test('an image for another platform is refused before its layers are fetched', async () => {
  await using registry = await registryWithIndex();
  expect(await codeOf(registry.load('base:arm64'))).toBe('SP_OCI_PLATFORM');
  expect(await codeOf(registry.load('base:v1', { os: 'linux', architecture: 's390x' }))).toBe('SP_OCI_PLATFORM');
  expect(registry.requests.filter((request) => request.includes('/blobs/'))).toHaveLength(1);
  expect(await codeOf(registry.load('base:missing'))).toBe('SP_OCI_NOT_FOUND');
  expect(await codeOf(registry.load('Base:v1'))).toBe('SP_OCI_REFERENCE');
});

test('layers that are damaged, cut or longer than they should be are refused, and the next run succeeds', async () => {
  await using registry = await registryWithIndex();
  const { storage, images, cacheDirectory } = registry;
  const manifest = await storage.readManifest('base', images[0]?.digest ?? '');
  const { layers } = JSON.parse(Buffer.from(manifest?.bytes ?? []).toString()) as {
    layers: { digest: `sha256:${string}`; size: number }[];
  };
  const { digest, size } = layers[0] ?? { digest: 'sha256:', size: 0 };
  const path = storage.blobs.path(digest);
  const good = await readFile(path);
  for (const bad of [noise(size, 9), good.subarray(0, 1000), Buffer.concat([good, good])]) {
    await writeFile(path, bad);
    expect(await codeOf(registry.load('base:v1'))).toBe('SP_OCI_DIGEST_MISMATCH');
    expect(await readdir(join(cacheDirectory, 'blobs'))).toEqual(['sha256']);
    expect(await createBlobStore(cacheDirectory).has(digest)).toBeUndefined();
  }
  await writeFile(path, good);
  expect((await registry.load('base:v1'))?.image.layers[0]?.digest).toBe(digest);
});

test('a download that breaks goes on where it was, also at a registry without ranges', async () => {
  for (const ranges of [true, false]) {
    await using folder = await temporaryFolder();
    const storage = createDiskRegistryStorage(join(folder.path, 'registry'));
    const { blobs, image } = await sampleImage(join(folder.path, 'client'), { size: 2_000_000 });
    const handler = createRegistryHandler({ storage, authorize: () => Promise.resolve({ allow: true }) });
    const local = (input: string | URL | Request, init?: RequestInit) => handler(new Request(input, init));
    const own = createRegistryClient({ registry: 'registry.test', fetch: local });
    await own.pushImage(image, { repository: 'base', reference: 'v1', blobs: [blobs] });
    const starts: string[] = [];
    let sent = 0;
    // Gives 400 kB of a large blob, then breaks the connection.
    await using server = await serve(async (request) => {
      if (!ranges) request.headers.delete('range');
      const answer = await handler(request);
      if (!request.url.includes(image.layers[0]?.digest ?? '') || request.method !== 'GET') return answer;
      starts.push(request.headers.get('range') ?? 'whole');
      const reader = answer.body?.getReader();
      let left = 400_000 + (ranges ? 0 : sent);
      const body = new ReadableStream<Uint8Array>({
        async pull(controller) {
          const next = await reader?.read();
          if (next === undefined || next.done) return controller.close();
          const part = next.value.subarray(0, left);
          left -= part.byteLength;
          sent += part.byteLength;
          controller.enqueue(part);
          if (left === 0) {
            await reader?.cancel();
            // Sent first, broken then.
            setTimeout(() => controller.error(new Error('cut by the test')), 100);
            await new Promise((resolve) => setTimeout(resolve, 150));
          }
        },
      });
      return new Response(body, { status: answer.status, headers: answer.headers });
    });
    const cacheDirectory = join(folder.path, 'cache');
    const base = await loadBaseImage(`${server.host}/base:v1`, { platform: amd64, cacheDirectory });
    const layer = base?.image.layers[0];
    if (base === undefined || layer === undefined) throw new Error('no layer');
    expect(digestOf(await collect(readLayer(base.blobs, layer)))).toBe(base.image.diffIds[0]);
    expect(starts.length).toBeGreaterThan(2);
    if (!ranges) continue;
    expect(starts.slice(0, 2)).toEqual(['whole', expect.stringMatching(/^bytes=[1-9]\d+-$/)]);
    // Nothing twice: a connection may end before its last piece is read, no more.
    expect(sent).toBeLessThan(layer.size * 1.5);
  }
});
