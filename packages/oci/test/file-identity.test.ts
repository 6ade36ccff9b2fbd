import { link, rename, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { buildLayer, createBlobStore, createLayerCache, fileIdentity, isSameFile } from '../src/index.ts';
import { codeOf, temporaryFolder } from './setup.ts';

const statsOf = (path: string) => stat(path, { bigint: true });

test('a file is the same in its place and with its times, and no other one is', async () => {
  await using folder = await temporaryFolder();
  const [a, b, c] = ['a', 'b', 'c'].map((name) => join(folder.path, name)) as [string, string, string];
  await writeFile(a, 'one');
  // Equal files of one tick of the disk's clock look alike but for their place.
  await writeFile(b, 'another');
  const stats = await statsOf(a);
  const identity = fileIdentity(stats);
  expect(isSameFile(identity, stats)).toBe(true);
  // As shared folders do it that forget their numbers.
  expect(isSameFile(identity, { ...stats, ino: stats.ino + 1n })).toBe(true);
  expect(isSameFile(identity, { ...stats, ino: stats.ino + 1n, ctimeNs: stats.ctimeNs + 1n })).toBe(false);
  await writeFile(a, 'longer');
  await link(a, c);
  expect(isSameFile(identity, await statsOf(a))).toBe(true);
  expect(isSameFile(identity, await statsOf(c))).toBe(true);
  expect(isSameFile(identity, await statsOf(b))).toBe(false);
});

test('another file in the place of the one that is meant is packed neither anew nor from a cache', async () => {
  await using folder = await temporaryFolder();
  const [meant, other] = ['meant', 'other'].map((name) => join(folder.path, name)) as [string, string];
  await writeFile(meant, 'meant');
  await writeFile(other, 'another');
  await new Promise((resolve) => setTimeout(resolve, 1100));
  const cache = createLayerCache({ directory: join(folder.path, 'cache') });
  const identity = fileIdentity(await statsOf(meant));
  const entry = { type: 'file', path: 'f', source: meant } as const;
  await buildLayer([{ ...entry, identity }], { blobs: cache.blobs, cache });
  await rename(meant, `${meant}.gone`);
  await symlink(other, meant);
  // Without an identity a link is followed, and the cache then knows its layer.
  await buildLayer([entry], { blobs: cache.blobs, cache });
  await buildLayer([entry], { blobs: cache.blobs, cache });
  for (const target of [{ blobs: cache.blobs, cache }, { blobs: createBlobStore(join(folder.path, 'store')) }]) {
    expect(await codeOf(buildLayer([{ ...entry, identity }], target))).toBe('SP_OCI_FILE_CHANGED');
  }
});
