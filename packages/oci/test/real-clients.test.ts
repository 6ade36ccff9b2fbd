import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, type TestContext, test } from 'vitest';
import {
  createDiskRegistryStorage,
  createRegistryClient,
  createRegistryHandler,
  loadOciLayout,
  saveOciLayout,
} from '../src/index.ts';
import { serve } from './serve.ts';
import { noise, sampleImage, temporaryFolder } from './setup.ts';

const run = promisify(execFile);

async function needs(context: TestContext, program: string): Promise<void> {
  if ((await run(program, ['--version']).catch(() => undefined)) === undefined) context.skip(`needs ${program}`);
}

/** A registry on a socket, a sample image in it as `tests/app:v1`, and the same as a layout on disk. */
async function published() {
  const folder = await temporaryFolder();
  const { blobs, image } = await sampleImage(join(folder.path, 'store'), { size: 2_000_000 });
  const layout = join(folder.path, 'layout');
  await saveOciLayout(layout, image, { blobs, tag: 'v1' });
  const storage = createDiskRegistryStorage(join(folder.path, 'registry'));
  const server = await serve(
    createRegistryHandler({ storage, allowDelete: true, authorize: () => Promise.resolve({ allow: true }) }),
  );
  const client = createRegistryClient({ registry: server.host });
  await client.pushImage(image, { repository: 'tests/app', reference: 'v1', blobs: [blobs] });
  return {
    folder: folder.path,
    layout,
    image,
    storage,
    client,
    host: server.host,
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

test('skopeo copies into the registry and out of it, lists and deletes', async (context) => {
  await needs(context, 'skopeo');
  await using setup = await published();
  const { folder, layout, image, storage, host } = setup;
  const skopeo = (...args: string[]) => run('skopeo', ['--insecure-policy', ...args]);
  await skopeo('copy', '--dest-tls-verify=false', `oci:${layout}:v1`, `docker://${host}/tests/copied:v1`);
  expect((await storage.resolve('tests/copied', 'v1'))?.digest).toBe(image.manifest.digest);
  const out = join(folder, 'out');
  await skopeo('copy', '--src-tls-verify=false', `docker://${host}/tests/app:v1`, `oci:${out}:v1`);
  expect((await loadOciLayout(out)).image.manifest.digest).toBe(image.manifest.digest);
  const { stdout } = await skopeo('list-tags', '--tls-verify=false', `docker://${host}/tests/app`);
  expect(JSON.parse(stdout)).toMatchObject({ Tags: ['v1'] });
  await skopeo('delete', '--tls-verify=false', `docker://${host}/tests/app:v1`);
  expect(await storage.resolve('tests/app', 'v1')).toBeUndefined();
});

test('buildah pulls, and pushes what it pulled', async (context) => {
  await needs(context, 'buildah');
  await using setup = await published();
  const { folder, image, storage, host } = setup;
  const places = ['--storage-driver', 'vfs', '--root', join(folder, 'root'), '--runroot', join(folder, 'run')];
  const buildah = (...args: string[]) => run('buildah', [...places, ...args]);
  await buildah('pull', '--tls-verify=false', `${host}/tests/app:v1`);
  await buildah('push', '--tls-verify=false', `${host}/tests/app:v1`, `docker://${host}/tests/back:v1`);
  const config = await storage.readManifest('tests/back', 'v1');
  expect(JSON.parse(Buffer.from(config?.bytes ?? []).toString())).toMatchObject({
    config: { digest: image.config.digest },
  });
});

test('umoci unpacks a layout', async (context) => {
  await needs(context, 'umoci');
  await using setup = await published();
  const bundle = join(setup.folder, 'bundle');
  await run('umoci', ['unpack', '--rootless', '--image', `${setup.layout}:v1`, bundle]);
  const content = await readFile(join(bundle, 'rootfs', 'app', 'data'));
  expect(content.equals(noise(2_000_000, 1))).toBe(true);
});
