import { mkdir, mkdtemp, readdir, readFile, readlink, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { packTar, type TarEntry } from 'modern-tar';
import { expect, type TestContext, test } from 'vitest';
import { unpackAppLayer } from '../src/machines/unpack-layer.ts';

type Entry = readonly [name: string, content: string] | TarEntry;

async function layer(entries: readonly Entry[]): Promise<AsyncIterable<Uint8Array>> {
  const toEntry = (entry: Entry): TarEntry => {
    if (!Array.isArray(entry)) return entry as TarEntry;
    const [name, body] = entry as readonly [string, string];
    return { header: { name, size: Buffer.byteLength(body), type: 'file', mode: 0o644 }, body };
  };
  const bytes = await packTar(entries.map(toEntry));
  // In small pieces, as a network would give it.
  return Readable.from(
    Array.from({ length: Math.ceil(bytes.length / 700) }, (_, at) => bytes.slice(at * 700, at * 700 + 700)),
  );
}

const link = (name: string, linkname: string): TarEntry => ({ header: { name, linkname, size: 0, type: 'symlink' } });

async function folder(context: TestContext): Promise<{ outside: string; directory: string }> {
  const outside = await mkdtemp(join(tmpdir(), 'sp-unpack-'));
  context.onTestFinished(() => rm(outside, { recursive: true, force: true }));
  const directory = join(outside, 'app');
  await mkdir(directory);
  return { outside, directory };
}

test('only what is below /app is unpacked, with its modes', async (context) => {
  const { directory } = await folder(context);
  const executable: TarEntry = { header: { name: './app/bin/run', size: 2, type: 'file', mode: 0o4755 }, body: 'go' };
  const found = await unpackAppLayer(
    await layer([['etc/passwd', 'x'], ['apple/pie', 'x'], executable, ['/app/a', 'A']]),
    {
      directory,
    },
  );
  expect(found).toBe(true);
  expect((await readdir(directory)).toSorted()).toEqual(['a', 'bin']);
  expect((await stat(join(directory, 'bin/run'))).mode & 0o7777).toBe(0o755);
});

test('a layer without /app says so', async (context) => {
  const { directory } = await folder(context);
  expect(await unpackAppLayer(await layer([['usr/bin/x', 'x']]), { directory })).toBe(false);
});

test('an upper layer replaces and deletes what is below it', async (context) => {
  const { directory } = await folder(context);
  await unpackAppLayer(
    await layer([
      ['app/kept', 'old'],
      ['app/gone', 'old'],
      ['app/folder/hidden', 'old'],
      ['app/was-file', 'old'],
      ['app/was-folder/x', 'old'],
      link('app/was-link', 'kept'),
    ]),
    { directory },
  );
  await unpackAppLayer(
    await layer([
      ['app/.wh.gone', ''],
      ['app/folder/seen', 'new'],
      ['app/folder/.wh..wh..opq', ''],
      ['app/was-file/x', 'new'],
      ['app/was-folder', 'new'],
      ['app/was-link', 'new'],
    ]),
    { directory },
  );
  expect((await readdir(directory)).toSorted()).toEqual(['folder', 'kept', 'was-file', 'was-folder', 'was-link']);
  expect(await readdir(join(directory, 'folder'))).toEqual(['seen']);
  expect(await readFile(join(directory, 'was-file/x'), 'utf8')).toBe('new');
  expect(await readFile(join(directory, 'was-folder'), 'utf8')).toBe('new');
  expect(await readFile(join(directory, 'was-link'), 'utf8')).toBe('new');
  // Written beside the link, not through it.
  expect(await readFile(join(directory, 'kept'), 'utf8')).toBe('old');
});

test('links inside /app work, links to elsewhere are left out', async (context) => {
  const { directory } = await folder(context);
  const entries = [
    ['app/releases/1/x', 'X'] as const,
    link('app/current', '/app/releases/1'),
    link('app/deep/link', '/app/releases/1/x'),
    link('app/shell', '/bin/sh'),
  ];
  await unpackAppLayer(await layer(entries), { directory });
  expect(await readFile(join(directory, 'current/x'), 'utf8')).toBe('X');
  expect(await readlink(join(directory, 'deep/link'))).toBe('../releases/1/x');
  expect(await readdir(directory)).not.toContain('shell');
});

test.for<[string, readonly Entry[]]>([
  ['a path with ..', [['app/../../victim', 'bad']]],
  ['a link that climbs out', [link('app/up', '../..'), ['app/up/victim', 'bad']]],
  ['a chain of links', [link('app/a', 'b/..'), link('app/b', '..'), ['app/b/victim', 'bad']]],
  ['a whiteout with ..', [['app/../.wh.victim', '']]],
])('%s writes nothing outside', async ([, entries], context) => {
  const { outside, directory } = await folder(context);
  await writeFile(join(outside, 'victim'), 'safe');
  await expect(unpackAppLayer(await layer(entries), { directory })).rejects.toThrow();
  expect(await readFile(join(outside, 'victim'), 'utf8')).toBe('safe');
  expect((await readdir(outside)).toSorted()).toEqual(['app', 'victim']);
});

test('a whiteout below a link to elsewhere deletes nothing there', async (context) => {
  const { outside, directory } = await folder(context);
  await writeFile(join(outside, 'victim'), 'safe');
  await symlink(outside, join(directory, 'planted'));
  await unpackAppLayer(
    await layer([
      ['app/planted/.wh.victim', ''],
      ['app/planted/.wh..wh..opq', ''],
    ]),
    { directory },
  );
  expect(await readFile(join(outside, 'victim'), 'utf8')).toBe('safe');
});

test('a cancelled unpacking stops', async (context) => {
  const { directory } = await folder(context);
  const signal = AbortSignal.abort();
  await expect(unpackAppLayer(await layer([['app/x', 'x']]), { directory, signal })).rejects.toThrow();
});
