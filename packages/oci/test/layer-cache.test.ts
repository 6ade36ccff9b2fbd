import { readdir, readFile, stat, truncate, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { type BuiltLayer, buildLayer, createLayerCache, digestOf, type LayerEntry, readLayer } from '../src/index.ts';
import { codeOf, collect, noise, temporaryFolder } from './setup.ts';

/** Files that have rested long enough to be recognised. */
async function restedFiles(folder: string, count = 3): Promise<LayerEntry[]> {
  const entries: LayerEntry[] = [];
  for (let index = 0; index < count; index += 1) {
    const source = join(folder, `source-${index}`);
    await writeFile(source, noise(50_000, index + 1));
    entries.push({ type: 'file', path: `app/file-${index}`, source });
  }
  await setTimeout(1100);
  return entries;
}

const unexpected = (): Promise<BuiltLayer> => Promise.reject(new Error('built again'));

test('an unchanged project is known without building, a change is always seen', async () => {
  await using folder = await temporaryFolder();
  const entries = await restedFiles(folder.path);
  const cache = createLayerCache({ directory: join(folder.path, 'cache') });
  const first = await buildLayer(entries, { blobs: cache.blobs, cache });
  expect(await cache.get(entries, { build: unexpected })).toEqual(first);
  const again = createLayerCache({ directory: join(folder.path, 'cache') });
  expect(await again.get(entries, { build: unexpected })).toEqual(first);

  const source = join(folder.path, 'source-1');
  const { mtime, atime, size } = await stat(source);
  await writeFile(source, noise(size, 99));
  await utimes(source, atime, mtime);
  expect(await codeOf(cache.get(entries, { build: unexpected }))).toBe('undefined');
  const second = await buildLayer(entries, { blobs: cache.blobs, cache });
  expect(second.diffId).not.toBe(first.diffId);
  expect(second).toEqual(await buildLayer(entries, { blobs: cache.blobs }));
});

test('what is not a file is part of the key, and so is the way of building', async () => {
  await using folder = await temporaryFolder();
  const cache = createLayerCache({ directory: folder.path });
  const bytes = (text: string): LayerEntry => ({ type: 'bytes', path: 'a', content: Buffer.from(text) });
  const link = (target: string): LayerEntry => ({ type: 'symlink', path: 'a', target });
  const variants: LayerEntry[] = [
    bytes('one'),
    bytes('two'),
    { ...bytes('one'), uid: 1 },
    link('one'),
    link('two'),
    { type: 'directory', path: 'a' },
    { type: 'directory', path: 'a', mode: 0o700 },
  ];
  const digests = new Set<string>();
  for (const entry of variants) {
    for (const compression of ['gzip', 'none'] as const) {
      const layer = await buildLayer([entry], { blobs: cache.blobs, cache, compression });
      expect(layer).toEqual(await buildLayer([entry], { blobs: cache.blobs, compression }));
      digests.add(layer.descriptor.digest);
    }
  }
  expect(digests.size).toBe(2 * variants.length);
});

test('a file that changed a moment ago is not remembered: the next change might look the same', async () => {
  await using folder = await temporaryFolder();
  const source = join(folder.path, 'source');
  const cache = createLayerCache({ directory: join(folder.path, 'cache') });
  const entries: LayerEntry[] = [{ type: 'file', path: 'f', source }];
  let changed: number;
  // On a busy computer it may be longer ago than a moment when its layer is built: then it is changed again.
  do {
    changed = Date.now();
    await writeFile(source, `fresh ${changed}`);
    await buildLayer(entries, { blobs: cache.blobs, cache });
  } while (Date.now() - changed > 900);
  expect(await codeOf(cache.get(entries, { build: unexpected }))).toBe('undefined');
});

test.each([
  ['replaced by other bytes', (path: string) => writeFile(path, Buffer.alloc(100))],
  ['damaged at the same length', async (path: string) => writeFile(path, noise((await stat(path)).size, 8))],
  ['cut short', (path: string) => truncate(path, 10)],
])('a blob that was %s is built again', async (_how, damage) => {
  await using folder = await temporaryFolder();
  const entries = await restedFiles(folder.path, 1);
  const cache = createLayerCache({ directory: join(folder.path, 'cache') });
  const layer = await buildLayer(entries, { blobs: cache.blobs, cache });
  await damage(cache.blobs.path(layer.descriptor.digest));
  expect(await buildLayer(entries, { blobs: cache.blobs, cache })).toEqual(layer);
  expect(digestOf(await collect(readLayer(cache.blobs, layer.descriptor)))).toBe(layer.diffId);
});

test('a blob that was only touched is checked and kept, a damaged entry is made again', async () => {
  await using folder = await temporaryFolder();
  const entries = await restedFiles(folder.path, 1);
  const cache = createLayerCache({ directory: join(folder.path, 'cache') });
  const layer = await buildLayer(entries, { blobs: cache.blobs, cache });
  await utimes(cache.blobs.path(layer.descriptor.digest), 1, 1);
  expect(await cache.get(entries, { build: unexpected })).toEqual(layer);
  const [name = ''] = await readdir(join(folder.path, 'cache', 'layers'));
  const file = join(folder.path, 'cache', 'layers', name);
  const good = await readFile(file, 'utf8');
  for (const bad of ['', '{', '[]', '{"version":2}', good.replace('sha256:', 'sha1:'), good.replace('"size"', '"x"')]) {
    await writeFile(file, bad);
    expect(await codeOf(cache.get(entries, { build: unexpected }))).toBe('undefined');
    expect(await buildLayer(entries, { blobs: cache.blobs, cache })).toEqual(layer);
    expect(await cache.get(entries, { build: unexpected })).toEqual(layer);
  }
});

test('several at once agree, and leave nothing half done', async () => {
  await using folder = await temporaryFolder();
  const entries = await restedFiles(folder.path);
  const directory = join(folder.path, 'cache');
  const layers = await Promise.all(
    Array.from({ length: 6 }, () => {
      const cache = createLayerCache({ directory });
      return buildLayer(entries, { blobs: cache.blobs, cache });
    }),
  );
  expect(new Set(layers.map((layer) => layer.descriptor.digest)).size).toBe(1);
  expect(await readdir(join(directory, 'blobs'))).toEqual(['sha256']);
  expect(await readdir(join(directory, 'layers'))).toHaveLength(1);
});

test('beyond its limit the cache forgets what was not used for longest, and nothing of the last hour', async () => {
  await using folder = await temporaryFolder();
  const entries = await restedFiles(folder.path, 4);
  const directory = join(folder.path, 'cache');
  const cache = createLayerCache({ directory, maxBytes: 120_000 });
  const build = (index: number) => buildLayer([entries[index] as LayerEntry], { blobs: cache.blobs, cache });
  const built = [await build(0), await build(1), await build(2)];
  const present = () =>
    Promise.all(built.map(async (layer) => (await cache.blobs.has(layer.descriptor.digest)) !== undefined));
  expect(await present()).toEqual([true, true, true]);
  const longAgo = new Date(Date.now() - 2 * 3_600_000);
  for (const layer of built) await utimes(cache.blobs.path(layer.descriptor.digest), longAgo, longAgo);
  for (const name of await readdir(join(directory, 'layers'))) {
    await utimes(join(directory, 'layers', name), longAgo, longAgo);
  }
  // Used again, so it is not the oldest any more.
  expect(await build(0)).toEqual(built[0]);
  await writeFile(join(directory, 'blobs', '.incoming-left-by-a-crash'), 'x');
  await utimes(join(directory, 'blobs', '.incoming-left-by-a-crash'), 1, 1);
  await build(3);
  expect(await present()).toEqual([true, false, false]);
  expect(await readdir(join(directory, 'blobs'))).toEqual(['sha256']);
  expect(await readdir(join(directory, 'layers'))).toHaveLength(2);
  expect(await build(1)).toEqual(built[1]);
});
