import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createBlobStore, digestOf, isDigest } from '../src/index.ts';
import { codeOf, collect, noise, temporaryFolder } from './setup.ts';

test('content is stored once under its digest, and read whole or in part', async () => {
  await using folder = await temporaryFolder();
  const blobs = createBlobStore(folder.path);
  const content = noise(700_000, 1);
  const digest = digestOf(content);
  expect(isDigest(digest)).toBe(true);
  expect(await blobs.has(digest)).toBeUndefined();
  expect(await blobs.write(content)).toEqual({ digest, size: 700_000 });
  expect(await blobs.write(content, { expected: digest })).toEqual({ digest, size: 700_000 });
  expect(await blobs.has(digest)).toBe(700_000);
  expect(blobs.path(digest)).toBe(join(folder.path, 'blobs', 'sha256', digest.slice(7)));
  expect((await collect(await blobs.read(digest))).equals(content)).toBe(true);
  const part = await collect(await blobs.read(digest, { start: 10, end: 400_000 }));
  expect(part.equals(content.subarray(10, 400_000))).toBe(true);
  expect(await readdir(join(folder.path, 'blobs', 'sha256'))).toHaveLength(1);
  await blobs.delete(digest);
  await blobs.delete(digest);
  expect(await codeOf(blobs.read(digest))).toBe('SP_OCI_BLOB_UNKNOWN');
});

test('a digest that is a path in disguise reaches nothing', async () => {
  await using folder = await temporaryFolder();
  const blobs = createBlobStore(folder.path);
  expect(await codeOf(blobs.has('sha256:../../oci-layout'))).toBe('SP_OCI_BLOB_UNKNOWN');
  expect(() => blobs.path('sha256:..')).toThrow(expect.objectContaining({ code: 'SP_OCI_BLOB_UNKNOWN' }));
});

test('content that is not what was expected, or ends with an error, leaves nothing', async () => {
  await using folder = await temporaryFolder();
  const blobs = createBlobStore(folder.path);
  const expected = digestOf(Buffer.from('other'));
  await expect(blobs.write(Buffer.from('this'), { expected })).rejects.toMatchObject({
    code: 'SP_OCI_DIGEST_MISMATCH',
    digest: expected,
  });
  const broken = async function* () {
    yield Buffer.from('half');
    throw new Error('the source failed');
  };
  await expect(blobs.write(broken())).rejects.toThrow('the source failed');
  expect(await readdir(join(folder.path, 'blobs'))).toEqual([]);
});

test('a write from a source that hangs can be cancelled', async () => {
  await using folder = await temporaryFolder();
  const blobs = createBlobStore(folder.path);
  const controller = new AbortController();
  const hanging = async function* () {
    yield Buffer.from('half');
    setImmediate(() => controller.abort(new Error('enough')));
    await new Promise(() => {});
  };
  await expect(blobs.write(hanging(), { signal: controller.signal })).rejects.toThrow('enough');
  expect(await readdir(join(folder.path, 'blobs'))).toEqual([]);
});
