import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, chown, link, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { brotliCompressSync, createBrotliCompress } from 'node:zlib';
import { expect, test } from 'vitest';
import { createSyncHandler } from '../src/server.ts';
import { pair, readFiles, temporaryFolder, token, writeFiles } from './setup.ts';

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const facts = (text: string) => ({ hash: sha256(text), size: text.length, mode: 0o644 });
const id = '00000000-0000-0000-0000-00000000000a';

function frame(value: unknown, content = ''): Buffer {
  const json = Buffer.from(JSON.stringify(value));
  const length = Buffer.alloc(4);
  length.writeUInt32BE(json.length);
  return Buffer.concat([length, json, Buffer.from(content)]);
}

/** A tenant whose process was killed between the journal and the end of a change of `a` from `old` to `new`. */
async function killed(before: string | undefined) {
  const root = join(await temporaryFolder(), 'tenant');
  const state = join(root, '.systemprompt', 'sync');
  for (const folder of ['journal', 'kept', 'incoming']) await mkdir(join(state, folder), { recursive: true });
  const change = { path: 'a', ...(before === undefined ? {} : { before: facts(before) }), after: facts('new') };
  const entry = { id, number: 1, at: '2026-01-02T03:04:05.000Z', state: 'applying', changes: [change], left: [] };
  await writeFile(join(state, 'journal', `00000001-${id}.applying.json`), JSON.stringify(entry));
  const handler = createSyncHandler({ root, token });
  const call = (method: string, path: string, body?: string) =>
    handler(
      new Request(`http://tenant.test/api/v1/sync/${path}`, {
        method,
        headers: { authorization: `Bearer ${token}` },
        ...(body === undefined ? {} : { body }),
      }),
    );
  return {
    root,
    kept: join(state, 'kept'),
    incoming: join(state, 'incoming'),
    async recover() {
      expect((await call('GET', 'tree')).status).toBe(200);
      expect(await readdir(join(state, 'journal'))).toEqual([`00000001-${id}.done.json`]);
      expect((await readdir(root)).sort()).toEqual(['.systemprompt', 'a']);
    },
    async undo() {
      const body = JSON.stringify({ id: `${id}-undo`, of: id });
      expect((await call('POST', 'undo', body)).status).toBe(200);
    },
  };
}

test('killed before a file got its second name: the change is made', async () => {
  const { root, kept, incoming, recover, undo } = await killed('old');
  await writeFile(join(root, 'a'), 'old');
  await writeFile(join(incoming, sha256('new')), 'new');
  await recover();
  expect([await readFiles(root), await readdir(kept)]).toEqual([{ a: 'new' }, [sha256('old')]]);
  await undo();
  expect(await readFiles(root)).toEqual({ a: 'old' });
});

test('killed with two names of the old file: neither is a name of the other afterwards', async () => {
  const { root, kept, incoming, recover } = await killed('old');
  await writeFile(join(root, 'a'), 'old');
  await link(join(root, 'a'), join(kept, `.new-${sha256('old')}`));
  await writeFile(join(incoming, sha256('new')), 'new');
  await recover();
  expect(await readdir(kept)).toEqual([sha256('old')]);
  expect((await stat(join(kept, sha256('old')))).nlink).toBe(1);
  await writeFile(join(root, 'a'), 'edited');
  expect(await readFile(join(kept, sha256('old')), 'utf8')).toBe('old');
});

test('killed after the file was replaced: the old one is kept under its name', async () => {
  const { root, kept, recover, undo } = await killed('old');
  await writeFile(join(root, 'a'), 'new');
  await writeFile(join(kept, `.new-${sha256('old')}`), 'old');
  await recover();
  expect(await readdir(kept)).toEqual([sha256('old')]);
  await undo();
  expect(await readFiles(root)).toEqual({ a: 'old' });
});

test('killed with the new content beside its place only: it is used', async () => {
  const { root, kept, recover } = await killed('old');
  await writeFile(join(root, 'a'), 'old');
  await writeFile(join(root, `.sp-sync-${sha256('new')}`), 'new');
  await recover();
  expect([await readFiles(root), await readdir(kept)]).toEqual([{ a: 'new' }, [sha256('old')]]);
});

test('killed with two names of the new file: what comes later is no third one', async () => {
  const { root, incoming, recover } = await killed(undefined);
  await writeFile(join(root, 'a'), 'new');
  await link(join(root, 'a'), join(incoming, sha256('new')));
  await recover();
  expect(await readdir(incoming)).toEqual([]);
  expect((await stat(join(root, 'a'))).nlink).toBe(1);
});

test('edited after the kill: the edit stays', async () => {
  const { root, kept, incoming, recover, undo } = await killed('old');
  await writeFile(join(root, 'a'), 'edited');
  await writeFile(join(incoming, sha256('new')), 'new');
  await recover();
  expect([await readFiles(root), await readdir(kept)]).toEqual([{ a: 'edited' }, []]);
  await undo();
  expect(await readFiles(root)).toEqual({ a: 'edited' });
});

test('killed while it filled new folders: what is whole in them is not sent again', async () => {
  const both = await pair();
  const incoming = join(both.remote, '.systemprompt', 'sync', 'incoming');
  const dead = spawnSync(process.execPath, ['-e', '']).pid;
  const folder = join(incoming, `new-${sha256(hostname()).slice(0, 16)}-${dead}-00000000-00000000`);
  await mkdir(join(folder, 'content'), { recursive: true });
  await writeFile(join(folder, 'content', 'whole'), 'whole', { mode: 0o755 });
  await writeFile(join(folder, 'content', 'cut'), 'cu');
  // Of a process that is still at it.
  const busy = join(incoming, `new-${sha256(hostname()).slice(0, 16)}-${process.ppid}-00000000-00000000`);
  await mkdir(busy);
  const files = [['content/whole', sha256('whole'), 5, '-']];
  const frames = [frame({ protocol: 2, id, before: [], files, removed: [] }), frame({ end: true })];
  const response = await fetch(new URL('/api/v1/sync/changes', both.options.remote.url), {
    method: 'POST',
    headers: { authorization: `Bearer ${token}` },
    body: brotliCompressSync(Buffer.concat(frames)),
  });
  expect(response.status).toBe(200);
  expect(await readFiles(both.remote)).toEqual({ 'content/whole': 'whole' });
  expect((await readdir(incoming)).filter((name) => name.startsWith('new-'))).toEqual([
    busy.slice(incoming.length + 1),
  ]);
});

test('a folder that somebody makes while a new one is filled keeps what is in it', async () => {
  const both = await pair();
  const incoming = join(both.remote, '.systemprompt', 'sync', 'incoming');
  const files = ['1', '2', '3'].map((name) => [`new/${name}`, sha256(name), 1, '-']);
  const compress = createBrotliCompress();
  const body = (async function* () {
    compress.write(frame({ protocol: 2, id, before: [], files, removed: [] }));
    compress.write(frame({ hash: sha256('1'), size: 1 }, '1'));
    await new Promise<void>((resolve) => compress.flush(resolve));
    yield compress.read() as Buffer;
    // The folder was not there, and is being filled.
    while (!(await readdir(incoming).catch(() => [])).some((name) => name.startsWith('new-'))) await delay(5);
    await writeFiles(both.remote, { 'new/theirs': 'theirs' });
    for (const name of ['2', '3']) compress.write(frame({ hash: sha256(name), size: 1 }, name));
    compress.end(frame({ end: true }));
    yield Buffer.concat(await compress.toArray());
  })();
  const response = await fetch(new URL('/api/v1/sync/changes', both.options.remote.url), {
    method: 'POST',
    headers: { authorization: `Bearer ${token}` },
    body: Readable.toWeb(Readable.from(body)) as ReadableStream,
    duplex: 'half',
  });
  expect(await response.json()).toMatchObject({ left: [] });
  expect(await readFiles(both.remote)).toEqual({ 'new/1': '1', 'new/2': '2', 'new/3': '3', 'new/theirs': 'theirs' });
  expect(await readdir(incoming)).toEqual([]);
});

test.runIf(process.platform !== 'win32')(
  'a failure between two new folders is the one that is told, and the next attempt finishes',
  async () => {
    const folder = await temporaryFolder();
    const root = join(folder, 'tenant');
    await mkdir(join(root, 'locked'), { recursive: true });
    const files = ['a/1', 'locked/b/2', 'locked/b/3'].map((path) => [path, sha256(path), path.length, '-']);
    const contents = files.map(([path, hash, size]) => frame({ hash, size }, String(path)));
    const frames = [frame({ protocol: 2, id, before: [], files, removed: [] }), ...contents, frame({ end: true })];
    const errors: unknown[] = [];
    const handler = createSyncHandler({ root, token, onError: (error) => errors.push(error) });
    const send = () =>
      handler(
        new Request('http://tenant.test/api/v1/sync/changes', {
          method: 'POST',
          headers: { authorization: `Bearer ${token}` },
          body: brotliCompressSync(Buffer.concat(frames)),
        }),
      );
    // Root may write everywhere, so as root the tenant is another user for the time of this.
    const isRoot = process.getuid?.() === 0;
    await chmod(folder, 0o755);
    await chmod(join(root, 'locked'), 0o555);
    if (isRoot) await chown(root, 65_534, 65_534);
    if (isRoot) process.seteuid?.(65_534);
    try {
      expect((await send()).status).toBe(500);
    } finally {
      if (isRoot) process.seteuid?.(0);
      await chmod(join(root, 'locked'), 0o755);
    }
    expect(errors).toMatchObject([
      { code: 'SP_SYNC_STORAGE', path: join(root, 'locked', 'b'), cause: { code: 'EACCES' } },
    ]);
    expect(await readFiles(root)).toEqual({ 'a/1': 'a/1' });
    expect(await (await send()).json()).toMatchObject({ left: [] });
    expect(await readFiles(root)).toEqual(Object.fromEntries(files.map(([path]) => [path, path])));
    const incoming = await readdir(join(root, '.systemprompt', 'sync', 'incoming'));
    expect(incoming.filter((name) => name.startsWith('new-'))).toEqual([]);
  },
);
