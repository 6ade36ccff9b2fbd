import { execFileSync } from 'node:child_process';
import { chmod, cp, readdir, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { buildImage, buildLayer, createBlobStore, readLayer, saveOciLayout } from '@sp/oci';
import { expect, test } from 'vitest';
import { type BuiltImage, createOciBuilder, imageName, planImage } from '../src/index.ts';
import { fixtureProject, plantedSecret, temporaryFolder, writeFiles } from './fixture-project.ts';
import { registryPassword, testRegistry } from './registry-server.ts';

const name = 'registry.test/images:tenant-1';

async function build(
  projectRoot: string,
  cacheDirectory: string,
  base = 'scratch',
): Promise<BuiltImage & { kind: 'oci' }> {
  const plan = await planImage({ projectRoot, profileName: 'production', base });
  const image = await createOciBuilder({ cacheDirectory }).build(plan, { name });
  if (image.kind !== 'oci') throw new Error('not an OCI image');
  return image;
}

/** All tar streams of an image's layers, one after the other. */
async function contents(built: BuiltImage & { kind: 'oci' }): Promise<Buffer[]> {
  const tars: Buffer[] = [];
  for (const layer of built.image.layers) {
    const parts: Uint8Array[] = [];
    for await (const part of readLayer(built.blobs[0]!, layer)) parts.push(part);
    tars.push(Buffer.concat(parts));
  }
  return tars;
}

test('the image has the right files, owners and modes, and no planted secret', async () => {
  const built = await build(await fixtureProject(), await temporaryFolder());
  const tars = await contents(built);
  expect(Buffer.concat(tars).includes(plantedSecret)).toBe(false);
  const listing = tars.map((input) =>
    execFileSync('tar', ['-tvf', '-', '--numeric-owner'], { input, encoding: 'utf8' }),
  );
  expect(listing).toHaveLength(5);
  expect(listing[0]).toMatch(/^-rwxr-xr-x 1000\/1000 .* app\/bin\/systemprompt$/m);
  expect(listing[0]).toMatch(/^drwxr-xr-x 1000\/1000 .* app\/storage\/files\/uploads\/$/m);
  expect(listing[4]).toMatch(/^-rw-r--r-- 1000\/1000 .* app\/services\/config\/config.yaml$/m);
  expect(listing.join('')).not.toMatch(/ 0\/0 /);
});

test('equal projects give equal images, whatever the clock and the folder', async () => {
  const first = await fixtureProject();
  const second = join(await temporaryFolder(), 'elsewhere');
  await cp(first, second, { recursive: true });
  await chmod(join(second, 'services/hooks/run.sh'), 0o755);
  await utimes(join(second, 'web/dist/index.html'), 1, 1);
  const one = await build(first, await temporaryFolder());
  const two = await build(second, await temporaryFolder());
  expect(two.image.manifest.digest).toBe(one.image.manifest.digest);

  await writeFile(join(second, 'web/dist/index.html'), '<h1>other</h1>');
  const three = await build(second, await temporaryFolder());
  const changed = three.image.layers.filter((layer, index) => layer.digest !== two.image.layers[index]?.digest);
  expect(changed).toHaveLength(1);
});

test('layers of files that rest are remembered, a change is always seen', async () => {
  const projectRoot = await fixtureProject();
  const cacheDirectory = await temporaryFolder();
  await new Promise((resolve) => setTimeout(resolve, 1100));
  const one = await build(projectRoot, cacheDirectory);
  expect(await readdir(join(cacheDirectory, 'layers'))).toHaveLength(5);
  const two = await build(projectRoot, cacheDirectory);
  expect(two.image.manifest.digest).toBe(one.image.manifest.digest);
  await writeFile(join(projectRoot, 'web/dist/index.html'), '<h1>hallo</h1>');
  const three = await build(projectRoot, cacheDirectory);
  expect(three.image.manifest.digest).not.toBe(one.image.manifest.digest);
  // A remembered layer whose blob is gone is packed again.
  await one.blobs[0]!.delete(one.image.layers[0]!.digest);
  expect((await build(projectRoot, cacheDirectory)).image.layers[0]).toEqual(one.image.layers[0]);
  expect(await one.blobs[0]!.has(one.image.layers[0]!.digest)).toBeGreaterThan(0);
});

test('an image layout is a base: its layers and its PATH are kept', async () => {
  const layout = await temporaryFolder();
  const blobs = createBlobStore(layout);
  const layer = await buildLayer([{ type: 'bytes', path: 'etc/base', content: Buffer.from('base') }], { blobs });
  const config = { architecture: 'arm64', os: 'linux', env: ['PATH=/base/bin', 'LANG=C'] };
  await saveOciLayout(layout, await buildImage({ layers: [layer], config, blobs }), { blobs });

  const { target, storage } = await testRegistry();
  const plan = await planImage({
    projectRoot: await fixtureProject(),
    profileName: 'production',
    base: `oci:${layout}`,
  });
  const builder = createOciBuilder({ cacheDirectory: await temporaryFolder() });
  const built = await builder.build(plan, { name: imageName(target) });
  const pushed = await builder.push(built, target);

  expect(await storage.resolve(target.repository, target.tag)).toMatchObject({ digest: pushed.digest });
  if (built.kind !== 'oci') throw new Error('not an OCI image');
  expect(built.image.layers[0]).toEqual(layer.descriptor);
  const stream = await built.blobs[0]!.read(built.image.config.digest);
  expect(JSON.parse(await new Response(stream).text())).toMatchObject({
    architecture: 'arm64',
    config: {
      User: '1000:1000',
      WorkingDir: '/app',
      Cmd: plan.command,
      ExposedPorts: { '8080/tcp': {} },
      Env: expect.arrayContaining(['PATH=/app/bin:/base/bin', 'LANG=C', 'PORT=8080']),
    },
  });
});

test('a push sends only what the registry does not have', async () => {
  const projectRoot = await fixtureProject();
  const builder = createOciBuilder({ cacheDirectory: await temporaryFolder() });
  const { target, storage } = await testRegistry();
  const plan = await planImage({ projectRoot, profileName: 'production', base: 'scratch' });
  const progress: string[] = [];
  const first = await builder.push(await builder.build(plan, { name }), target, {
    onProgress: ({ message }) => progress.push(message),
  });
  expect(first.uploadedBytes).toBeGreaterThan(0);
  expect(progress.some((message) => message.startsWith('sent sha256:'))).toBe(true);
  const again = await builder.push(await builder.build(plan, { name }), target);
  expect(again).toEqual({ digest: first.digest, uploadedBytes: 0 });
  expect(await storage.resolve(target.repository, target.tag)).toMatchObject({ digest: first.digest });
});

test('new layers travel while the next are made, and nothing leads to them before the push', async () => {
  const cacheDirectory = await temporaryFolder();
  const builder = createOciBuilder({ cacheDirectory });
  const projectRoot = await fixtureProject();
  const plan = await planImage({ projectRoot, profileName: 'production', base: 'scratch' });
  await new Promise((resolve) => setTimeout(resolve, 1100));
  const { target, storage } = await testRegistry();
  const built = await builder.build(plan, { name: imageName(target), target });
  if (built.kind !== 'oci') throw new Error('not an OCI image');
  const { layers, config } = built.image;
  for (const { digest, size } of layers) await expect.poll(() => storage.hasBlob(target.repository, digest)).toBe(size);
  expect(await storage.hasBlob(target.repository, config.digest)).toBeUndefined();
  expect(await storage.listTags(target.repository)).toBeUndefined();
  const total = [...layers, config].reduce((sum, { size }) => sum + size, 0);
  const progress: string[] = [];
  const pushed = await builder.push(built, target, { onProgress: ({ message }) => progress.push(message) });
  expect(pushed).toEqual({ digest: built.image.manifest.digest, uploadedBytes: total });
  expect(await storage.resolve(target.repository, target.tag)).toMatchObject({ digest: pushed.digest });

  // What is in the cache is not sent before it is asked for.
  const other = await testRegistry();
  const again = await builder.build(plan, { name: imageName(other.target), target: other.target });
  expect(await builder.push(again, other.target)).toEqual(pushed);
});

test('layers that could not travel early are sent by the push, which says what is wrong', async () => {
  const projectRoot = await fixtureProject();
  const plan = await planImage({ projectRoot, profileName: 'production', base: 'scratch' });
  const { target } = await testRegistry();
  const builder = createOciBuilder({ cacheDirectory: await temporaryFolder() });
  const wrong = { ...target, token: 'not-the-token' };
  const built = await builder.build(plan, { name, target: wrong });
  await expect(builder.push(built, wrong)).rejects.toMatchObject({ code: 'SP_DEPLOY_PUSH_FAILED' });
  expect((await builder.push(built, target)).uploadedBytes).toBeGreaterThan(0);
  const gone = { ...target, registry: '127.0.0.1:1' };
  expect((await builder.push(await builder.build(plan, { name, target: gone }), target)).uploadedBytes).toBe(0);
});

test('a refused push is a coded error without the token', async () => {
  const builder = createOciBuilder({ cacheDirectory: await temporaryFolder() });
  const { target } = await testRegistry('tenant-2');
  const plan = await planImage({ projectRoot: await fixtureProject(), profileName: 'production', base: 'scratch' });
  const built = await builder.build(plan, { name });
  const error: unknown = await builder.push(built, { ...target, tag: 'tenant-3' }).catch((reason: unknown) => reason);
  expect(error).toMatchObject({ code: 'SP_DEPLOY_PUSH_FAILED', cause: { code: 'SP_OCI_DENIED' } });
  expect(inspect(error, { depth: 9 }) + JSON.stringify({ ...(error as object) })).not.toContain(registryPassword);
});

test('bases that cannot be built on are refused by name', async () => {
  const projectRoot = await fixtureProject();
  const cacheDirectory = await temporaryFolder();
  await writeFiles(projectRoot, { 'base/readme': 'not a layout' });
  for (const base of ['debian:bookworm-slim', 'oci:base', 'oci:/does/not/exist']) {
    await expect(build(projectRoot, cacheDirectory, base)).rejects.toMatchObject({
      code: 'SP_DEPLOY_BASE_UNSUPPORTED',
    });
  }
});

test('a build can be given up', async () => {
  const plan = await planImage({ projectRoot: await fixtureProject(), profileName: 'production', base: 'scratch' });
  const builder = createOciBuilder({ cacheDirectory: await temporaryFolder() });
  await expect(builder.build(plan, { name, signal: AbortSignal.abort() })).rejects.toMatchObject({
    code: 'SP_DEPLOY_ABORTED',
  });
});
