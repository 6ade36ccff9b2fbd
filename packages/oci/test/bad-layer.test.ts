import { execFile } from 'node:child_process';
import { mkdir, readdir, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { buildLayer, createBlobStore, type Descriptor, digestOf, isOciError, readLayer } from '../src/index.ts';
import { codeOf, collect, noise, temporaryFolder } from './setup.ts';
import { makeTar, pax, type RawEntry } from './tar-maker.ts';

const run = promisify(execFile);

async function stored(tar: Uint8Array, compress = true) {
  const folder = await temporaryFolder();
  const blobs = createBlobStore(folder.path);
  const blob = await blobs.write(compress ? gzipSync(tar) : tar);
  const descriptor: Descriptor = {
    mediaType: `application/vnd.oci.image.layer.v1.tar${compress ? '+gzip' : ''}`,
    ...blob,
  };
  return { blobs, descriptor, [Symbol.asyncDispose]: folder[Symbol.asyncDispose] };
}

const contained = { entries: 'contained' } as const;

test.each<[string, readonly RawEntry[]]>([
  ['an absolute path', [{ path: '/etc/passwd' }]],
  ['a path with ..', [{ path: 'a/../../etc/passwd' }]],
  ['a path with .. that is only in a pax header', [pax({ path: '../escape' }), { path: 'harmless' }]],
  [
    'a path with .. in a long name',
    [{ path: 'x', typeflag: 'L', content: Buffer.from(`${'a/'.repeat(60)}${'../'.repeat(61)}b\0`) }, { path: 'x' }],
  ],
  ['a character device', [{ path: 'dev/null', typeflag: '3' }]],
  ['a block device', [{ path: 'dev/sda', typeflag: '4' }]],
  ['a pipe', [{ path: 'pipe', typeflag: '6' }]],
  ['an absolute symbolic link', [{ path: 'a', typeflag: '2', target: '/etc' }]],
  ['a symbolic link out of the root', [{ path: 'a/b', typeflag: '2', target: '../../etc' }]],
  ['a hard link out of the root', [{ path: 'a/b/c', typeflag: '1', target: '../etc/passwd' }]],
  [
    'a link target that is only in a pax header',
    [pax({ linkpath: '/etc' }), { path: 'a', typeflag: '2', target: 'b' }],
  ],
])('%s is refused before it is seen, when that is wanted', async (_what, entries) => {
  const tar = makeTar([{ path: 'first', content: noise(100, 1) }, ...entries]);
  await using layer = await stored(tar);
  const seen: Uint8Array[] = [];
  const read = async (): Promise<void> => {
    for await (const piece of readLayer(layer.blobs, layer.descriptor, contained)) seen.push(piece);
  };
  await expect(read()).rejects.toMatchObject({ code: 'SP_OCI_PATH', digest: layer.descriptor.digest });
  expect(Buffer.concat(seen).includes('first')).toBe(false);
  expect((await collect(readLayer(layer.blobs, layer.descriptor))).equals(tar)).toBe(true);
});

test('what stays inside is passed on as it is', async () => {
  await using folder = await temporaryFolder();
  const blobs = createBlobStore(folder.path);
  const { descriptor, diffId } = await buildLayer(
    [
      { type: 'bytes', path: `${'long/'.repeat(60)}ü`, content: noise(3_000_000, 1) },
      { type: 'bytes', path: 'a..b/..c', content: noise(1, 1) },
      { type: 'symlink', path: 'a..b/link', target: '../a..b/./..c' },
      { type: 'directory', path: 'empty' },
    ],
    { blobs },
  );
  expect(digestOf(await collect(readLayer(blobs, descriptor, contained)))).toBe(diffId);
});

test.each<[string, Buffer]>([
  ['is no archive', noise(5000, 1)],
  ['ends in the middle of a header', makeTar([{ path: 'a' }], { end: false }).subarray(0, 300)],
  ['ends in the middle of content', makeTar([{ path: 'a', content: noise(100, 1), size: 5000 }], { end: false })],
  [
    'has damaged pax records',
    makeTar([{ path: 'x', typeflag: 'x', content: Buffer.from('999 path=a\n') }, { path: 'a' }]),
  ],
  ['has a pax size that is no number', makeTar([pax({ size: '-1' }), { path: 'a' }])],
  ['has an endless name', makeTar([{ path: 'x', typeflag: 'L', size: 2 ** 30 }])],
])('a layer that %s is a named error', async (_what, tar) => {
  for (const compress of [true, false]) {
    await using layer = await stored(tar, compress);
    expect(await codeOf(collect(readLayer(layer.blobs, layer.descriptor, contained)))).toBe('SP_OCI_DOCUMENT');
  }
});

test('any bytes are read to the end or refused with a named error', async () => {
  const entry = fc.record({
    path: fc.string({ maxLength: 100 }),
    typeflag: fc.constantFrom('0', '1', '2', '3', '5', 'x', 'g', 'L', 'K', 'S', '\0'),
    target: fc.string({ maxLength: 100 }),
    content: fc.uint8Array({ maxLength: 700 }),
    size: fc.option(fc.nat(5000), { nil: undefined }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(entry, { maxLength: 5 }), async (entries) => {
      await using layer = await stored(
        makeTar(entries.map(({ size, ...rest }) => (size === undefined ? rest : { ...rest, size }))),
        false,
      );
      try {
        await collect(readLayer(layer.blobs, layer.descriptor, contained));
      } catch (error) {
        expect(isOciError(error)).toBe(true);
      }
    }),
    { numRuns: 60 },
  );
});

test('a bomb stops at the limit', async () => {
  await using layer = await stored(Buffer.alloc(50_000_000));
  expect(layer.descriptor.size).toBeLessThan(100_000);
  let received = 0;
  const read = async (): Promise<void> => {
    for await (const piece of readLayer(layer.blobs, layer.descriptor, { maxBytes: 1_000_000 }))
      received += piece.byteLength;
  };
  await expect(read()).rejects.toMatchObject({ code: 'SP_OCI_TOO_LARGE', digest: layer.descriptor.digest });
  expect(received).toBeLessThanOrEqual(1_000_000);
});

test('a layer that is cut, or whose length is a lie, is named', async () => {
  await using layer = await stored(makeTar([{ path: 'a', content: noise(50_000, 1) }]));
  const { blobs, descriptor } = layer;
  const lie = { ...descriptor, size: descriptor.size + 1 };
  expect(await codeOf(collect(readLayer(blobs, lie)))).toBe('SP_OCI_DIGEST_MISMATCH');
  await truncate(blobs.path(descriptor.digest), 20_000);
  expect(await codeOf(collect(readLayer(blobs, descriptor)))).toBe('SP_OCI_DIGEST_MISMATCH');
  expect(await codeOf(collect(readLayer(blobs, { ...descriptor, size: 20_000 })))).toBe('SP_OCI_DOCUMENT');
});

test('a full disk is a named error, nothing half done stays, and the next run succeeds', async (context) => {
  await using folder = await temporaryFolder();
  const small = join(folder.path, 'small');
  await mkdir(small);
  const mounted = await run('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', small]).catch(() => undefined);
  if (mounted === undefined) context.skip('needs the right to mount a tmpfs');
  try {
    const source = join(folder.path, 'source');
    await writeFile(source, noise(6_000_000, 1));
    const blobs = createBlobStore(small);
    const build = () => buildLayer([{ type: 'file', path: 'f', source }], { blobs });
    await expect(build()).rejects.toMatchObject({ code: 'SP_OCI_STORAGE', cause: { code: 'ENOSPC' } });
    expect(await readdir(join(small, 'blobs'))).toEqual([]);
    await run('mount', ['-o', 'remount,size=20m', small]);
    const layer = await build();
    expect(digestOf(await collect(readLayer(blobs, layer.descriptor)))).toBe(layer.diffId);
  } finally {
    await run('umount', [small]);
  }
});
