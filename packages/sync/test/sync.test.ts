import { createHash, randomBytes } from 'node:crypto';
import { chmod, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { applySync, getSyncStatus, type PlanSyncOptions, planSync, syncFiles, undoSync } from '../src/index.ts';
import { createSyncHandler } from '../src/server.ts';
import { type Pair, pair, readFiles, tarballsOnly, token, writeFiles } from './setup.ts';

async function sync({ options }: Pair, more: Partial<PlanSyncOptions> = {}) {
  const plan = await planSync({ ...options, ...more });
  return { plan, result: await applySync(plan, options) };
}

const paths = (changes: readonly { readonly path: string }[]): string[] => changes.map(({ path }) => path).sort();

test('a first sync brings each side what it lacks, and the next one finds nothing to do', async () => {
  const both = await pair();
  const { local, remote, options, requests } = both;
  await writeFiles(local, { 'agents/a.yaml': 'a', 'hooks/run.sh': '#!/bin/sh', 'same.md': 'same' });
  await writeFiles(remote, { 'content/ä b.md': 'b', 'same.md': 'same', empty: '' });
  const { plan, result } = await sync(both);
  expect(plan).toMatchObject({
    protocol: 'manifest',
    conflicts: [],
    left: [],
    unchanged: 1,
    bytesUp: 10,
    bytesDown: 1,
  });
  expect([result.up.toSorted(), result.down.toSorted()]).toEqual([
    ['agents/a.yaml', 'hooks/run.sh'],
    ['content/ä b.md', 'empty'],
  ]);
  const all = {
    'agents/a.yaml': 'a',
    'hooks/run.sh*': '#!/bin/sh',
    'same.md': 'same',
    'content/ä b.md': 'b',
    empty: '',
  };
  expect(await readFiles(local)).toEqual(all);
  expect(await readFiles(remote)).toEqual(all);
  requests.length = 0;
  const again = await sync(both);
  expect(again.plan).toMatchObject({ up: [], down: [], conflicts: [], unchanged: 5 });
  expect(requests).toEqual(['GET tree']);
  expect(await getSyncStatus(options)).toEqual({ localChanges: [], remoteChanges: [], conflicts: [], inSync: true });
});

test('edits of either side are told apart by what was synced last', async () => {
  const both = await pair();
  const { local, remote, options } = both;
  await writeFiles(local, { a: '1', b: '1', c: '1', d: '1', 'e.sh': '1' });
  await sync(both);
  await writeFiles(local, { a: '2', 'new-here': 'x', c: null });
  await writeFiles(remote, { b: '2', 'new-there': 'y', d: null });
  await chmod(join(remote, 'e.sh'), 0o600);
  expect(await getSyncStatus(options)).toEqual({
    localChanges: ['a', 'c', 'new-here'],
    remoteChanges: ['b', 'd', 'e.sh', 'new-there'],
    conflicts: [],
    inSync: false,
  });
  const up = await sync(both, { direction: 'up' });
  expect([paths(up.plan.up), up.plan.down]).toEqual([['a', 'new-here'], []]);
  // Nothing is deleted that nobody asked to delete.
  expect(up.plan.left).toEqual([
    { path: 'c', side: 'remote', reason: 'deletion' },
    { path: 'd', side: 'local', reason: 'deletion' },
  ]);
  const down = await sync(both, { direction: 'down', delete: true });
  expect([down.plan.up, paths(down.plan.down)]).toEqual([[], ['b', 'd', 'e.sh', 'new-there']]);
  expect(await readFiles(local)).toEqual({ a: '2', b: '2', 'e.sh': '1', 'new-here': 'x', 'new-there': 'y' });
  expect(await readFiles(remote)).toMatchObject({ c: '1' });
  await sync(both, { delete: true });
  expect(await readFiles(remote)).toEqual(await readFiles(local));
});

test.each([
  ['leave', 'both', { a: 'ours' }, { a: 'theirs' }],
  ['ours', 'both', { a: 'ours' }, { a: 'ours' }],
  ['theirs', 'both', { a: 'theirs' }, { a: 'theirs' }],
  ['ours', 'down', { a: 'ours' }, { a: 'theirs' }],
  ['theirs', 'up', { a: 'ours' }, { a: 'theirs' }],
  ['ours', 'up', { a: 'ours' }, { a: 'ours' }],
  ['theirs', 'down', { a: 'theirs' }, { a: 'theirs' }],
  ['keep-both', 'both', { a: 'ours', 'a.remote-4c55a855': 'theirs' }, { a: 'ours', 'a.remote-4c55a855': 'theirs' }],
  ['keep-both', 'down', { a: 'ours', 'a.remote-4c55a855': 'theirs' }, { a: 'theirs' }],
  ['keep-both', 'up', { a: 'ours' }, { a: 'ours', 'a.remote-4c55a855': 'theirs' }],
] as const)('a conflict resolved as %s, %s', async (resolve, direction, ours, theirs) => {
  const both = await pair();
  await writeFiles(both.local, { a: 'base' });
  await sync(both);
  await writeFiles(both.local, { a: 'ours' });
  await writeFiles(both.remote, { a: 'theirs' });
  const { plan } = await sync(both, { resolve, direction });
  expect(plan.conflicts).toMatchObject([{ path: 'a', resolution: resolve, base: { size: 4 }, remote: { size: 6 } }]);
  expect(await readFiles(both.local)).toEqual(ours);
  expect(await readFiles(both.remote)).toEqual(theirs);
  // Whatever was done, the next sync in both directions ends with two equal sides.
  await sync(both, { resolve: 'ours' });
  expect(await readFiles(both.remote)).toEqual(await readFiles(both.local));
  expect((await planSync(both.options)).conflicts).toEqual([]);
});

test('what a sync replaced and deleted comes back on both sides, and undoing can be undone', async () => {
  const both = await pair();
  const { local, remote, options } = both;
  await writeFiles(local, { a: '1', b: '1', 'gone/c': '1' });
  await sync(both);
  await writeFiles(local, { a: 'here', 'gone/c': null, fresh: 'x' });
  await writeFiles(remote, { b: 'there', late: 'y' });
  const before = [await readFiles(local), await readFiles(remote)];
  await sync(both, { delete: true });
  const after = [await readFiles(local), await readFiles(remote)];
  expect(after[0]).toEqual({ a: 'here', b: 'there', fresh: 'x', late: 'y' });
  const undone = await undoSync(options);
  expect(undone).toMatchObject({ left: [] });
  expect([await readFiles(local), await readFiles(remote)]).toEqual(before);
  expect(await getSyncStatus(options)).toMatchObject({
    localChanges: ['a', 'fresh', 'gone/c'],
    remoteChanges: ['b', 'late'],
  });
  await undoSync({ ...options, id: undone.id });
  expect([await readFiles(local), await readFiles(remote)]).toEqual(after);
  expect((await getSyncStatus(options)).inSync).toBe(true);
  await undoSync(options);
  expect([await readFiles(local), await readFiles(remote)]).toEqual(before);
  // Then the first sync; and then nothing is left.
  await undoSync(options);
  await expect(undoSync(options)).rejects.toMatchObject({ code: 'SP_SYNC_NOTHING_TO_UNDO' });
});

test('what was edited after a sync stays when that is undone', async () => {
  const both = await pair();
  const { local, remote, options } = both;
  await writeFiles(local, { a: '1', b: '1' });
  await sync(both);
  await writeFiles(local, { a: '2' });
  await writeFiles(remote, { b: '2' });
  await sync(both);
  await writeFiles(local, { b: 'edited' });
  await writeFiles(remote, { a: 'edited' });
  expect(await undoSync(options)).toMatchObject({ up: [], down: [], left: ['a', 'b'] });
  expect(await readFiles(local)).toEqual({ a: '2', b: 'edited' });
  expect(await readFiles(remote)).toEqual({ a: 'edited', b: '2' });
});

test('planned and applied in one go, when that is confirmed', async () => {
  const { local, remote, options } = await pair();
  await writeFiles(local, { a: 'a' });
  await writeFiles(remote, { b: 'b' });
  const asked: string[][] = [];
  const confirm = (answer: boolean) => (plan: Parameters<typeof applySync>[0]) => {
    asked.push([...paths(plan.up), ...paths(plan.down)]);
    return answer;
  };
  expect((await syncFiles({ ...options, confirm: confirm(false) })).result).toBeUndefined();
  expect(await readFiles(remote)).toEqual({ b: 'b' });
  const { result } = await syncFiles({ ...options, confirm: confirm(true) });
  expect(result).toMatchObject({ up: ['a'], down: ['b'], left: [] });
  expect(asked).toEqual([
    ['a', 'b'],
    ['a', 'b'],
  ]);
  expect(await readFiles(remote)).toEqual(await readFiles(local));
  expect((await syncFiles(options)).plan).toMatchObject({ up: [], down: [], unchanged: 2 });
});

test('a plan is applied as it is or not at all', async () => {
  const both = await pair();
  const { local, remote, options } = both;
  await writeFiles(local, { a: 'a', b: 'b' });
  await writeFiles(remote, { c: 'c', d: 'd' });
  for (const [root, path] of [
    [local, 'a'],
    [remote, 'c'],
    [remote, 'a'],
    [local, 'd'],
  ] as const) {
    const plan = await planSync(options);
    const sides = [await readFiles(local), await readFiles(remote)];
    const side = root === local ? 0 : 1;
    const old = sides[side]?.[path] ?? null;
    await writeFiles(root, { [path]: 'edited' });
    const error = await applySync(plan, options).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'SP_SYNC_MOVED', retryable: true });
    sides[side] = { ...sides[side], [path]: 'edited' };
    expect([await readFiles(local), await readFiles(remote)]).toEqual(sides);
    await writeFiles(root, { [path]: old });
  }
  // As plain data, in another process, and twice.
  const plan = JSON.parse(JSON.stringify(await planSync(options))) as Awaited<ReturnType<typeof planSync>>;
  const result = await applySync(plan, options);
  expect(await readFiles(local)).toEqual(await readFiles(remote));
  expect([result.up.length, result.down.length]).toEqual([2, 2]);
  await expect(applySync(plan, options)).rejects.toMatchObject({ code: 'SP_SYNC_MOVED' });
});

test('secrets, links and special files stay where they are, and are never deleted', async () => {
  const both = await pair();
  const { local, remote, options } = both;
  await writeFiles(local, {
    'a.md': 'a',
    'secrets.json': 'secret',
    'deep/Secrets.JSON.123': 'secret',
    '.env': 'secret',
    'deep/.env.production': 'secret',
    '.systemprompt/x': 'secret',
    'deep/server.pem': 'secret',
    '.git/config': 'secret',
    'profiles/p/profile.yaml': 'image',
    'Twin.md': '1',
    'twin.md': '2',
    'caf\u00e9': '1',
    'cafe\u0301': '2',
  });
  await mkdir(join(local, 'outside'));
  await symlink('/etc/passwd', join(local, 'link'));
  await symlink('/etc', join(local, 'folder-link'));
  await writeFiles(remote, {
    link: 'theirs',
    'folder-link/passwd': 'theirs',
    'profiles/q': 'image',
    'secrets.json': 'r',
  });
  const { plan } = await sync(both, { delete: true });
  expect(paths(plan.up)).toEqual(['a.md']);
  expect(plan.down).toEqual([]);
  expect(paths(plan.left)).toEqual(['Twin.md', 'cafe\u0301', 'caf\u00e9', 'folder-link', 'link', 'twin.md']);
  expect(await readFiles(remote)).toEqual({
    'a.md': 'a',
    link: 'theirs',
    'folder-link/passwd': 'theirs',
    'profiles/q': 'image',
    'secrets.json': 'r',
  });
  expect(await readFile('/etc/passwd', 'utf8')).not.toBe('theirs');
  expect((await readdir(local)).includes('secrets.json')).toBe(true);
  expect(options.ignore).toBeUndefined();
});

test('files become folders, names change their case, and contents that are there do not travel', async () => {
  const both = await pair();
  const { local, remote, requests } = both;
  const large = 'x'.repeat(3_000_000);
  await writeFiles(local, { a: '1', 'b/c': '1', 'README.md': 'r', large });
  await sync(both);
  await writeFiles(local, { a: null, 'a/b': '2', 'b/c': null, b: '2', 'README.md': null, large: null });
  await writeFiles(local, { 'Readme.md': 'r', 'moved/large': large });
  // Without deletions there is no room for them.
  const blocked = await sync(both);
  expect(paths(blocked.plan.up)).toEqual(['moved/large']);
  expect(
    blocked.plan.left
      .filter(({ reason }) => reason.endsWith('in its place'))
      .map(({ path }) => path)
      .sort(),
  ).toEqual(['Readme.md', 'a/b', 'b']);
  requests.length = 0;
  await sync(both, { delete: true });
  expect(await readFiles(remote)).toEqual(await readFiles(local));
  expect(requests).toEqual(['GET tree', 'POST changes']);
});

test('large files are sent and fetched in pieces', async () => {
  const both = await pair();
  const make = (seed: number): string =>
    Array.from({ length: 600_000 }, (_, at) => ((at * seed) % 9973).toString(36)).join('');
  await writeFiles(both.local, { a: make(7), b: make(11), small: 's' });
  await writeFiles(both.remote, { c: make(13), d: make(17).repeat(6) });
  await sync(both);
  expect(await readFiles(both.remote)).toEqual(await readFiles(both.local));
});

test("a part of a large file that a killed sync left in the tenant is in nobody's way", {
  timeout: 180_000,
}, async () => {
  const both = await pair();
  const text = Array.from({ length: 600_000 }, (_, at) => ((at * 7) % 9973).toString(36)).join('');
  await writeFiles(both.local, { large: text });
  const incoming = join(both.remote, '.systemprompt/sync/incoming');
  await mkdir(incoming, { recursive: true });
  await writeFile(join(incoming, `${createHash('sha256').update(text).digest('hex')}.part`), text.slice(0, 1000));
  await sync(both);
  expect(await readFiles(both.remote)).toEqual({ large: text });
});

test('a tenant that knows tarballs only is synced too, without losing anything', async () => {
  const both = await pair({ wrap: tarballsOnly });
  const { local, remote, options, requests } = both;
  await writeFiles(local, { 'agents/a.yaml': 'a', 'web/page.html': 'w', 'content/run.sh': '#!', 'top.md': 't' });
  await writeFiles(remote, { 'content/b.md': 'b', 'agents/a.yaml': 'a' });
  const { plan } = await sync(both);
  expect(plan).toMatchObject({ protocol: 'tarball' });
  expect([paths(plan.up), paths(plan.down)]).toEqual([['content/run.sh'], ['content/b.md']]);
  expect(paths(plan.left)).toEqual(['top.md', 'web/page.html']);
  expect(await readFiles(remote)).toEqual({ 'content/b.md': 'b', 'agents/a.yaml': 'a', 'content/run.sh*': '#!' });
  expect(new Set(requests)).toEqual(new Set(['GET tree', 'GET files', 'POST files']));

  await writeFiles(local, { 'agents/a.yaml': 'ours' });
  await writeFiles(remote, { 'agents/a.yaml': 'theirs', 'content/b.md': null });
  const next = await planSync({ ...options, resolve: 'ours', delete: true });
  expect(next.conflicts).toMatchObject([{ path: 'agents/a.yaml' }]);
  await applySync(next, options);
  expect(await readFiles(remote)).toMatchObject({ 'agents/a.yaml': 'ours' });
  expect(Object.keys(await readFiles(local))).not.toContain('content/b.md');
  // The tenant kept nothing: what it had is kept here.
  expect(await undoSync(options)).toMatchObject({ up: ['agents/a.yaml'], down: ['content/b.md'], left: [] });
  expect(await readFiles(remote)).toMatchObject({ 'agents/a.yaml': 'theirs' });
});

/** Text that compresses to three quarters. */
const noise = (length: number): string => randomBytes((length * 3) / 4).toString('base64');

/** The stream, broken after some bytes. */
function broken(body: ReadableStream<Uint8Array>, bytes: number, onBytes: (count: number) => void) {
  let left = bytes;
  return body.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform(piece, controller) {
        onBytes(Math.min(left, piece.byteLength));
        controller.enqueue(piece.subarray(0, left));
        left -= Math.min(left, piece.byteLength);
        if (left === 0) controller.error(new Error('cut by the test'));
      },
    }),
  );
}

test('what was sent before the connection broke is not sent again, in either direction', {
  timeout: 180_000,
}, async () => {
  let cuts = 2;
  const sent = { up: 0, down: 0 };
  const both = await pair({
    handler: { onError: () => {} },
    wrap: (handler) => async (request) => {
      const isUp = request.url.endsWith('/changes');
      const limit = cuts > 0 ? 2_500_000 : Number.POSITIVE_INFINITY;
      if (isUp && request.body !== null) {
        cuts -= 1;
        const body = broken(request.body, limit, (count) => (sent.up += count));
        const { url, method, headers } = request;
        const answer = await handler(new Request(url, { method, headers, body, duplex: 'half' }));
        return answer.status === 200 ? answer : new Response(null, { status: 502 });
      }
      const answer = await handler(request);
      if (!request.url.endsWith('/contents') || answer.body === null) return answer;
      cuts -= 1;
      return new Response(
        broken(answer.body, limit, (count) => (sent.down += count)),
        { headers: answer.headers },
      );
    },
  });
  const { local, remote, requests } = both;
  const make = (name: string) => ({
    [`${name}/large`]: noise(6_000_000),
    ...Object.fromEntries(Array.from({ length: 40 }, (_, at) => [`${name}/${at}`, noise(100_000)])),
  });
  await writeFiles(local, make('ours'));
  await sync(both);
  expect(requests.filter((request) => request === 'POST changes')).toHaveLength(3);
  cuts = 2;
  await writeFiles(remote, make('theirs'));
  await sync(both);
  expect(await readFiles(remote)).toEqual(await readFiles(local));
  // 10 MB of 6 bits each: once, and what was on the way when it broke.
  for (const bytes of [sent.up, sent.down]) expect(bytes).toBeLessThan(10_000_000 * 0.9);
});

test('what is ignored stays where it is, on both sides', async () => {
  const both = await pair();
  const { local, remote, options } = both;
  await writeFiles(local, { 'a.md': 'a', 'a.log': 'l', 'tmp/x': 'x', 'deep/tmp/y': 'y', 'profiles/p': 'p' });
  await writeFiles(remote, { 'b.log': 'l', 'tmp/z': 'z' });
  const plan = await planSync({ ...options, ignore: ['*.log', 'tmp/', '!deep/tmp/'], delete: true });
  expect(paths(plan.up)).toEqual(['a.md', 'deep/tmp/y', 'profiles/p']);
  expect(plan.down).toEqual([]);
  await applySync(plan, options);
  expect(Object.keys(await readFiles(remote)).sort()).toEqual(['a.md', 'b.log', 'deep/tmp/y', 'profiles/p', 'tmp/z']);
});

test('a fetch that leaves answers compressed, as a handler that is called directly, is understood', async () => {
  const { local, remote, options } = await pair();
  const handler = createSyncHandler({ root: remote, token });
  const direct = {
    ...options.remote,
    fetch: (async (input, init) => handler(new Request(input, init))) as typeof fetch,
  };
  await writeFiles(remote, Object.fromEntries(Array.from({ length: 60 }, (_, at) => [`agents/${at}`, `${at}`])));
  const plan = await planSync({ ...options, remote: direct });
  expect(plan).toMatchObject({ protocol: 'manifest' });
  await applySync(plan, { ...options, remote: direct });
  expect(await readFiles(local)).toEqual(await readFiles(remote));
});

test('a tenant that says nothing is given up', async () => {
  const { options } = await pair({ wrap: () => () => new Promise(() => {}) });
  const remote = { ...options.remote, retries: 0, timeoutMs: 100 };
  await expect(planSync({ ...options, remote })).rejects.toMatchObject({ code: 'SP_SYNC_NETWORK', retryable: true });
  await expect(planSync({ ...options, signal: AbortSignal.abort() })).rejects.toMatchObject({
    code: 'SP_SYNC_ABORTED',
  });
});
