import { execFile } from 'node:child_process';
import { appendFile, mkdir, readdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import * as zlib from 'node:zlib';
import { expect, test } from 'vitest';
import { buildLayer, createBlobStore, digestOf, isOciError, type LayerEntry, readLayer } from '../src/index.ts';
import { codeOf, collect, noise, temporaryFolder } from './setup.ts';

const run = promisify(execFile);

async function tarLines(path: string): Promise<string[]> {
  const args = ['--full-time', '--utc', '--quoting-style=literal', '-tvzf', path];
  const { stdout } = await run('tar', args, { env: { ...process.env, LC_ALL: 'C.UTF-8' } });
  return stdout.trimEnd().split('\n');
}

test('the same entries in another order, with other times, are the same layer', async () => {
  await using folder = await temporaryFolder();
  const blobs = createBlobStore(join(folder.path, 'blobs'));
  const source = join(folder.path, 'source');
  await writeFile(source, noise(600_000, 7));
  const entries: LayerEntry[] = [
    { type: 'file', path: 'app/bin/server', source, mode: 0o755 },
    { type: 'bytes', path: 'app/a-b', content: Buffer.from('one') },
    { type: 'directory', path: 'app/storage', mode: 0o700, uid: 1000, gid: 1000 },
    { type: 'symlink', path: 'app/current', target: 'bin/server' },
    { type: 'bytes', path: 'app/a/b', content: Buffer.from('two') },
  ];
  const first = await buildLayer(entries, { blobs });
  await utimes(source, new Date(0), new Date(86_400_000));
  const second = await buildLayer(entries.toReversed(), { blobs });
  expect(second).toEqual(first);
  expect(first.descriptor.mediaType).toBe('application/vnd.oci.image.layer.v1.tar+gzip');
  expect(await blobs.has(first.descriptor.digest)).toBe(first.descriptor.size);

  expect(await tarLines(blobs.path(first.descriptor.digest))).toEqual([
    expect.stringMatching(/^drwxr-xr-x 0\/0 +0 1970-01-01 00:00:00 app\/$/),
    expect.stringMatching(/^drwxr-xr-x 0\/0 +0 1970-01-01 00:00:00 app\/a\/$/),
    expect.stringMatching(/^-rw-r--r-- 0\/0 +3 1970-01-01 00:00:00 app\/a-b$/),
    expect.stringMatching(/^-rw-r--r-- 0\/0 +3 1970-01-01 00:00:00 app\/a\/b$/),
    expect.stringMatching(/^drwxr-xr-x 0\/0 +0 1970-01-01 00:00:00 app\/bin\/$/),
    expect.stringMatching(/^-rwxr-xr-x 0\/0 +600000 1970-01-01 00:00:00 app\/bin\/server$/),
    expect.stringMatching(/^lrwxrwxrwx 0\/0 +0 1970-01-01 00:00:00 app\/current -> bin\/server$/),
    expect.stringMatching(/^drwx------ 1000\/1000 +0 1970-01-01 00:00:00 app\/storage\/$/),
  ]);
});

test('the layer is known in advance: what it is does not change from version to version', async () => {
  await using folder = await temporaryFolder();
  const blobs = createBlobStore(folder.path);
  const entries: LayerEntry[] = [{ type: 'bytes', path: 'hello', content: Buffer.from('hello\n') }];
  const plain = await buildLayer(entries, { blobs, compression: 'none' });
  expect(plain.diffId).toBe('sha256:3df56dd8f5269b656c3837099e2436d67c1a773a0725ecce8d464b2f0c674fae');
  expect(plain.descriptor).toEqual({
    mediaType: 'application/vnd.oci.image.layer.v1.tar',
    digest: plain.diffId,
    size: 2048,
  });
  const gzip = await buildLayer(entries, { blobs });
  const bytes = await collect(await blobs.read(gzip.descriptor.digest));
  // mtime 0, level 1, unknown operating system
  expect(bytes.subarray(0, 10).toString('hex')).toBe('1f8b08000000000004ff');
  expect(gzip.diffId).toBe(plain.diffId);
  expect(digestOf(zlib.gunzipSync(bytes))).toBe(plain.diffId);
});

test('the order is that of the bytes of the paths, also where characters have another one', async () => {
  await using folder = await temporaryFolder();
  const blobs = createBlobStore(folder.path);
  const order = async (names: readonly string[]): Promise<string[]> => {
    const entries = names.map((path): LayerEntry => ({ type: 'bytes', path, content: Buffer.from('') }));
    const { descriptor } = await buildLayer(entries, { blobs });
    return (await tarLines(blobs.path(descriptor.digest))).map((line) => line.split(' ').at(-1) ?? '');
  };
  // In UTF-16 the emoji is before the tilde, in UTF-8 behind it.
  expect(await order(['\u{1f642}', '\uff5e', 'é', 'z', 'Z', 'z-', 'z.d/f'])).toEqual([
    'Z',
    'z',
    'z-',
    'z.d/',
    'z.d/f',
    'é',
    '\uff5e',
    '\u{1f642}',
  ]);
  expect(await order(['\uff5e', 'é', 'b/a', 'b-a', 'a'])).toEqual(['a', 'b/', 'b-a', 'b/a', 'é', '\uff5e']);
});

test('names that ustar cannot hold survive, and so does content', async () => {
  await using folder = await temporaryFolder();
  const blobs = createBlobStore(join(folder.path, 'blobs'));
  const names = [
    'käse/日本語/🙂.txt',
    `${'d'.repeat(60)}/${'n'.repeat(90)}`,
    `${'d'.repeat(155)}/${'n'.repeat(100)}`,
    `long/${'x'.repeat(200)}`,
    `${'deep/'.repeat(80)}file`,
    `exact/${'e'.repeat(94)}`,
    'with space and "quotes"',
  ];
  const entries: LayerEntry[] = names.map((path) => ({ type: 'bytes', path, content: Buffer.from(path) }));
  const target = `../${'t'.repeat(150)}/ü`;
  const link: LayerEntry = { type: 'symlink', path: 'link', target };
  const { descriptor } = await buildLayer([...entries, link], { blobs });
  const out = join(folder.path, 'out');
  await mkdir(out);
  await run('tar', ['-xzf', blobs.path(descriptor.digest), '-C', out]);
  const extracted = await readdir(out, { recursive: true, withFileTypes: true });
  const files = extracted.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  expect(files.map((file) => file.slice(out.length + 1)).sort()).toEqual(names.toSorted());
  for (const name of names) expect(await readFile(join(out, name), 'utf8')).toBe(name);
  expect((await run('readlink', [join(out, 'link')])).stdout.trimEnd()).toBe(target);
});

test('owners beyond ustar are kept', async () => {
  await using folder = await temporaryFolder();
  const blobs = createBlobStore(folder.path);
  const entry: LayerEntry = { type: 'bytes', path: 'f', content: Buffer.alloc(0), uid: 3_000_000, gid: 4_000_000_000 };
  const { descriptor } = await buildLayer([entry], { blobs });
  expect((await tarLines(blobs.path(descriptor.digest)))[0]).toContain(' 3000000/4000000000 ');
});

test.each([
  [''],
  ['/etc/passwd'],
  ['../up'],
  ['a/../b'],
  ['a//b'],
  ['a/'],
  ['./a'],
  ['a\0b'],
  ['a/.wh.b'],
  ['lone\ud800'],
])('the path %j is refused', async (path) => {
  await using folder = await temporaryFolder();
  const blobs = createBlobStore(folder.path);
  const built = buildLayer([{ type: 'bytes', path, content: Buffer.alloc(1) }], { blobs });
  await expect(built).rejects.toMatchObject({ code: 'SP_OCI_PATH', path });
  await expect(built).rejects.toSatisfy(isOciError);
  expect(await readdir(folder.path)).toEqual([]);
});

test('a path twice, and a path below a file or a link, are refused', async () => {
  await using folder = await temporaryFolder();
  const blobs = createBlobStore(folder.path);
  const file = (path: string): LayerEntry => ({ type: 'bytes', path, content: Buffer.alloc(1) });
  expect(await codeOf(buildLayer([file('a'), file('a')], { blobs }))).toBe('SP_OCI_PATH');
  expect(await codeOf(buildLayer([file('a/b/c'), file('a')], { blobs }))).toBe('SP_OCI_PATH');
  const link: LayerEntry = { type: 'symlink', path: 'a', target: '/etc' };
  expect(await codeOf(buildLayer([link, file('a/passwd')], { blobs }))).toBe('SP_OCI_PATH');
});

test('a source that is missing, a folder or a pipe is a named error', async () => {
  await using folder = await temporaryFolder();
  const blobs = createBlobStore(join(folder.path, 'blobs'));
  const layer = (source: string) => buildLayer([{ type: 'file', path: 'f', source }], { blobs });
  const pipe = join(folder.path, 'pipe');
  await run('mkfifo', [pipe]);
  const missing = join(folder.path, 'missing');
  await expect(layer(missing)).rejects.toMatchObject({ code: 'SP_OCI_SOURCE', path: missing });
  expect(await codeOf(layer(folder.path))).toBe('SP_OCI_SOURCE');
  expect(await codeOf(layer(pipe))).toBe('SP_OCI_SOURCE');
});

test.each([
  ['grows', 3_000_000, 'SP_OCI_FILE_CHANGED'],
  ['shrinks', 3_000_000, 'SP_OCI_FILE_CHANGED'],
])('a file that %s while it is read is a named error and leaves nothing', async (change, size, code) => {
  await using folder = await temporaryFolder();
  const store = createBlobStore(folder.path);
  const source = join(folder.path, 'source');
  await writeFile(source, noise(size, 3));
  const blobs = {
    ...store,
    write: (content: AsyncIterable<Uint8Array> | Uint8Array, options = {}) => {
      const slowed = async function* () {
        let first = true;
        for await (const chunk of content as AsyncIterable<Uint8Array>) {
          if (first) await (change === 'grows' ? appendFile(source, 'more') : writeFile(source, 'less'));
          first = false;
          yield chunk;
        }
      };
      return store.write(slowed(), options);
    },
  };
  const built = buildLayer([{ type: 'file', path: 'f', source }], { blobs, compression: 'none' });
  await expect(built).rejects.toMatchObject({ code, path: source });
  expect(await readdir(join(folder.path, 'blobs'))).toEqual([]);
});

test('a cancelled build leaves nothing', async () => {
  await using folder = await temporaryFolder();
  const blobs = createBlobStore(folder.path);
  const controller = new AbortController();
  const source = join(folder.path, 'source');
  await writeFile(source, noise(2_000_000, 3));
  const entries = function* (): Generator<LayerEntry> {
    yield { type: 'file', path: 'f', source };
    queueMicrotask(() => controller.abort(new Error('enough')));
  };
  await expect(buildLayer(entries(), { blobs, signal: controller.signal })).rejects.toThrow('enough');
  expect(await readdir(join(folder.path, 'blobs')).catch(() => [])).toEqual([]);
});

test('readLayer gives the tar stream and notices damage', async () => {
  await using folder = await temporaryFolder();
  const blobs = createBlobStore(folder.path);
  const layer = await buildLayer([{ type: 'bytes', path: 'f', content: noise(400_000, 5) }], { blobs });
  expect(digestOf(await collect(readLayer(blobs, layer.descriptor)))).toBe(layer.diffId);
  const path = blobs.path(layer.descriptor.digest);
  const bytes = await collect(await blobs.read(layer.descriptor.digest));
  await writeFile(path, Buffer.concat([bytes, gunzipFriendly()]));
  expect(await codeOf(collect(readLayer(blobs, layer.descriptor)))).toBe('SP_OCI_DIGEST_MISMATCH');
  await writeFile(path, bytes.subarray(0, 1000));
  expect(await codeOf(collect(readLayer(blobs, { ...layer.descriptor, size: 1000 })))).toBe('SP_OCI_DOCUMENT');
  const unknown = { ...layer.descriptor, mediaType: 'application/vnd.oci.image.layer.v1.tar+encrypted' };
  expect(await codeOf(collect(readLayer(blobs, unknown)))).toBe('SP_OCI_MEDIA_TYPE');
});

test('zstd where this Node has it, else a named error', async () => {
  await using folder = await temporaryFolder();
  const blobs = createBlobStore(folder.path);
  const entries: LayerEntry[] = [{ type: 'bytes', path: 'f', content: Buffer.alloc(3_000_000, 'text ') }];
  const build = () => buildLayer(entries, { blobs, compression: 'zstd' });
  const mediaType = 'application/vnd.oci.image.layer.v1.tar+zstd';
  if (!('zstdCompress' in zlib)) {
    expect(await codeOf(build())).toBe('SP_OCI_MEDIA_TYPE');
    const blob = await blobs.write(noise(100, 1));
    expect(await codeOf(collect(readLayer(blobs, { mediaType, ...blob })))).toBe('SP_OCI_MEDIA_TYPE');
    return;
  }
  const { descriptor, diffId } = await build();
  expect(descriptor.mediaType).toBe(mediaType);
  expect(descriptor.size).toBeLessThan(100_000);
  expect(diffId).toBe((await buildLayer(entries, { blobs })).diffId);
  expect(digestOf(await collect(readLayer(blobs, descriptor)))).toBe(diffId);
  await writeFile(blobs.path(descriptor.digest), noise(descriptor.size, 1));
  expect(await codeOf(collect(readLayer(blobs, descriptor)))).toBe('SP_OCI_DOCUMENT');
});

/** An empty gzip member: valid after another one. */
function gunzipFriendly(): Buffer {
  return Buffer.from('1f8b080000000000000303000000000000000000', 'hex');
}
