import { readdir, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import {
  collectGarbage,
  createDiskRegistryStorage,
  createRegistryClient,
  createRegistryHandler,
  type Digest,
  digestOf,
  type OciImage,
} from '../src/index.ts';
import { codeOf, sampleImage, temporaryFolder } from './setup.ts';

/** A registry with images of different seeds; everything in it is old. */
async function oldRegistry(images: readonly (readonly [repository: string, tag: string, seed: number])[]) {
  const folder = await temporaryFolder();
  const directory = join(folder.path, 'registry');
  const storage = createDiskRegistryStorage(directory);
  const handler = createRegistryHandler({ storage, authorize: () => Promise.resolve({ allow: true }) });
  const client = createRegistryClient({
    registry: 'registry.test',
    fetch: (input, init) => handler(new Request(input, init)),
  });
  const push = async (repository: string, tag: string, seed: number): Promise<OciImage> => {
    const { image, blobs } = await sampleImage(join(folder.path, 'client'), { size: 20_000, seed });
    await client.pushImage(image, { repository, reference: tag, blobs: [blobs] });
    return image;
  };
  const pushed: OciImage[] = [];
  for (const image of images) pushed.push(await push(...image));
  const age = async () => {
    for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
      if (entry.isFile()) await utimes(join(entry.parentPath, entry.name), 1000, 1000);
    }
  };
  await age();
  const contents = async () =>
    (await readdir(join(directory, 'blobs', 'sha256'))).map((hex): Digest => `sha256:${hex}`).sort();
  return { storage, client, pushed, push, age, contents, [Symbol.asyncDispose]: folder[Symbol.asyncDispose] };
}

function digestsOf(...images: readonly OciImage[]): string[] {
  const all = images.flatMap(({ manifest, config, layers }) =>
    [manifest, config, ...layers].map(({ digest }) => digest),
  );
  return Array.from(new Set(all)).sort();
}

const anHourAgo = (): Date => new Date(Date.now() - 3_600_000);

test('what no tag leads to goes, everything else stays', async () => {
  await using server = await oldRegistry([
    ['app', 'v1', 1],
    ['app', 'v1', 2],
    ['app', 'v2', 3],
    ['other', 'v1', 1],
  ]);
  const { storage, client, contents } = server;
  const [first, second, third, other] = server.pushed as [OciImage, OciImage, OciImage, OciImage];
  const removed = await collectGarbage({ storage, olderThan: anHourAgo() });
  // The other repository still has the first image, so only its place in this one is gone.
  expect(removed).toMatchObject({ manifests: 1, contents: 0, bytes: 0 });
  expect(await contents()).toEqual(digestsOf(second, third, other));
  expect(await client.resolve('app', first.manifest.digest)).toBeUndefined();
  expect(await client.resolve('other', 'v1')).toEqual(other.manifest);
  await storage.deleteTag('app', 'v1');
  await server.age();
  const again = await collectGarbage({ storage, olderThan: anHourAgo() });
  expect(again.manifests).toBe(1);
  expect(again.bytes).toBeGreaterThan(second.layers[0]?.size ?? 0);
  expect(await contents()).toEqual(digestsOf(third, other));
  expect(await collectGarbage({ storage, olderThan: anHourAgo() })).toEqual({
    manifests: 0,
    blobs: 0,
    contents: 0,
    bytes: 0,
    uploads: 0,
  });
});

test('a digest to keep stays with everything below it, and so does what is young', async () => {
  await using server = await oldRegistry([
    ['app', 'v1', 1],
    ['app', 'v1', 2],
    ['app', 'v1', 3],
  ]);
  const { storage, client, contents } = server;
  const [first, second, third] = server.pushed as [OciImage, OciImage, OciImage];
  const young = await server.push('app', 'v1', 4);
  await client.resolve('app', 'v1');
  await storage.deleteTag('app', 'v1');
  const layer = second.layers[0]?.digest ?? first.config.digest;
  await collectGarbage({ storage, keep: [first.manifest.digest, layer], olderThan: anHourAgo() });
  expect(await contents()).toEqual([...new Set([...digestsOf(first, young), layer])].sort());
  expect(await client.resolve('app', first.manifest.digest)).toEqual(first.manifest);
  expect(await client.resolve('app', third.manifest.digest)).toBeUndefined();
  await storage.deleteManifest('app', first.manifest.digest);
  await server.age();
  await collectGarbage({ storage, keep: [first.manifest.digest], olderThan: anHourAgo() });
  expect(await contents()).toEqual(digestsOf(first));
});

test('a blob that a push asked about is not taken away before its manifest comes', async () => {
  await using server = await oldRegistry([['app', 'v1', 1]]);
  const { storage, contents } = server;
  const [image] = server.pushed as [OciImage];
  await storage.deleteManifest('app', image.manifest.digest);
  const layer = image.layers[0]?.digest ?? image.config.digest;
  expect(await storage.hasBlob('app', layer)).toBeDefined();
  await collectGarbage({ storage, olderThan: anHourAgo() });
  expect(await contents()).toEqual([layer]);
});

test('indexes keep their images, images their signatures', async () => {
  await using server = await oldRegistry([['app', 'v1', 1]]);
  const { storage, client, contents } = server;
  const [image] = server.pushed as [OciImage];
  const mediaType = 'application/vnd.oci.image.index.v1+json';
  const index = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, manifests: [image.manifest] }));
  await storage.writeManifest('app', { bytes: index, mediaType, tag: 'v1' });
  const signature = Buffer.from(
    JSON.stringify({ schemaVersion: 2, mediaType, manifests: [], subject: image.manifest }),
  );
  await storage.writeManifest('app', { bytes: signature, mediaType, referrer: { subject: image.manifest.digest } });
  await server.age();
  expect(await collectGarbage({ storage, olderThan: anHourAgo() })).toMatchObject({ manifests: 0, contents: 0 });
  expect(await contents()).toEqual([...digestsOf(image), digestOf(index), digestOf(signature)].sort());
  await storage.deleteTag('app', 'v1');
  await server.age();
  expect(await collectGarbage({ storage, olderThan: anHourAgo() })).toMatchObject({ manifests: 3, contents: 6 });
  expect(await contents()).toEqual([]);
  expect(await client.resolve('app', digestOf(signature))).toBeUndefined();
});

test('a damaged manifest stops it before anything is removed', async () => {
  await using server = await oldRegistry([
    ['app', 'v1', 1],
    ['app', 'v1', 2],
  ]);
  const { storage, contents } = server;
  const before = await contents();
  await writeFile(storage.blobs.path((server.pushed[1] as OciImage).manifest.digest), 'damage');
  expect(await codeOf(collectGarbage({ storage, olderThan: anHourAgo() }))).toBe('SP_OCI_DIGEST_MISMATCH');
  expect(await contents()).toEqual(before);
});

test('an upload that nobody goes on with goes, one that is under way stays', async () => {
  await using server = await oldRegistry([['app', 'v1', 1]]);
  const { storage } = server;
  const write = async (repository: string): Promise<string> => {
    const id = await storage.uploads.create(repository);
    await storage.uploads.write(repository, id, Readable.from([Buffer.from('half of it')]));
    return id;
  };
  const [given, up] = [await write('app'), await write('never/finished')];
  await server.age();
  const young = await write('young');
  expect(await collectGarbage({ storage, olderThan: anHourAgo() })).toMatchObject({ uploads: 2, contents: 0 });
  expect(await storage.uploads.get('app', given)).toBeUndefined();
  expect(await storage.uploads.get('never/finished', up)).toBeUndefined();
  expect(await storage.uploads.get('young', young)).toBe(10);
});
