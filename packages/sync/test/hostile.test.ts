import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { brotliCompressSync, gunzipSync, gzipSync } from 'node:zlib';
import { packTar, type TarEntry } from 'modern-tar';
import { expect, test } from 'vitest';
import { applySync, isSyncError, planSync } from '../src/index.ts';
import { createSyncHandler, type SyncHandlerOptions } from '../src/server.ts';
import { pair, readFiles, tarballsOnly, temporaryFolder, token, writeFiles } from './setup.ts';

const sha256 = (content: string | Uint8Array): string => createHash('sha256').update(content).digest('hex');
const id = '00000000-0000-0000-0000-000000000001';

function frame(value: unknown, content: string | Uint8Array = ''): Buffer {
  const json = Buffer.from(JSON.stringify(value));
  const length = Buffer.alloc(4);
  length.writeUInt32BE(json.length);
  return Buffer.concat([length, json, Buffer.from(content)]);
}

const end = frame({ end: true });

function changes(files: readonly (readonly [string, string])[], more: object = {}): Buffer {
  const list = files.map(([path, text]) => [path, sha256(text), Buffer.byteLength(text), '-']);
  return frame({ protocol: 2, id, before: [], files: list, removed: [], ...more });
}

function content(text: string, more: object = {}): Buffer {
  return frame({ hash: sha256(text), size: Buffer.byteLength(text), ...more }, text);
}

async function tenant(options: Partial<SyncHandlerOptions> = {}) {
  const root = join(await temporaryFolder(), 'tenant');
  await mkdir(root);
  const handler = createSyncHandler({ root, token, ...options });
  const call = async (method: string, path: string, body?: Uint8Array | string, authorization = `Bearer ${token}`) => {
    const response = await handler(
      new Request(`http://tenant.test/api/v1/sync/${path}`, {
        method,
        headers: { authorization },
        ...(body === undefined ? {} : { body }),
      }),
    );
    const bytes = Buffer.from(await response.arrayBuffer());
    const text = (response.headers.get('content-encoding') === 'gzip' ? gunzipSync(bytes) : bytes).toString();
    const answer =
      response.headers.get('content-type') === 'application/json' ? (JSON.parse(text) as Record<string, unknown>) : {};
    return { status: response.status, answer, code: (answer['error'] as { code: string } | undefined)?.code };
  };
  const send = (...frames: Buffer[]) => call('POST', 'changes', brotliCompressSync(Buffer.concat(frames)));
  return { root, call, send };
}

test('changes are made when they are sound', async () => {
  const { root, send, call } = await tenant();
  expect((await send(changes([['a/b', 'text']]), content('text'), end)).status).toBe(200);
  expect(await readFiles(root)).toEqual({ 'a/b': 'text' });
  // The same again, and what was not sent.
  expect((await send(changes([['a/b', 'text']]), end)).status).toBe(200);
  const missing = await send(changes([['c', 'other']], { id: `${id}2` }), end);
  expect(missing).toMatchObject({ status: 424, answer: { missing: [{ hash: sha256('other'), offset: 0 }] } });
  expect(await call('POST', 'undo', JSON.stringify({ id: `${id}3`, of: id }))).toMatchObject({ status: 200 });
  expect(await readFiles(root)).toEqual({});
  expect((await call('POST', 'undo', JSON.stringify({ id: `${id}4`, of: 'never-made' }))).status).toBe(404);
});

test.each([
  ['../outside'],
  ['a/../../outside'],
  ['/etc/passwd'],
  ['a//b'],
  ['./a'],
  ['a/.'],
  ['a\\..\\b'],
  ['C:/windows'],
  ['nul\u0000byte'],
  ['line\nbreak'],
  [''],
  ['x'.repeat(256)],
  [`${'deep/'.repeat(300)}x`],
  ['.env'],
  ['a/.ENV.local'],
  ['config/secrets.json'],
  ['SECRETS.json'],
  ['.systemprompt/sync/index'],
  ['.Systemprompt/x'],
  ['.git/hooks/post-checkout'],
  ['a/.sp-sync-x'],
  ['lone\ud800surrogate'],
])('a path %j is refused with all that comes with it', async (path) => {
  const { root, send } = await tenant();
  const refused = await send(
    changes([
      ['good', 'good'],
      [path, 'evil'],
    ]),
    content('good'),
    content('evil'),
    end,
  );
  expect(refused).toMatchObject({ status: 422, code: 'SP_SYNC_UNSAFE_PATH' });
  const removed = await send(changes([], { removed: [path] }), end);
  expect(removed.status).toBe(422);
  expect(await readFiles(root)).toEqual({});
});

test.each([
  [['a', 'A']],
  [['d/x', 'D/y']],
  [['caf\u00e9', 'cafe\u0301']],
  [['stra\u00dfe', 'STRASSE']],
  [['\ufb01le', 'file']],
  [['a', 'a/b']],
  [['a/b', 'a']],
  [['a', 'a']],
])('paths that are one on some computer are refused: %j', async (paths) => {
  const { root, send } = await tenant();
  const refused = await send(changes(paths.map((path) => [path, 'x'])), content('x'), end);
  expect(refused).toMatchObject({ status: 422, code: 'SP_SYNC_UNSAFE_PATH' });
  expect(await readFiles(root)).toEqual({});
});

test('nothing is written, read or deleted through links', async () => {
  const { root, send, call } = await tenant();
  const outside = await temporaryFolder();
  await writeFiles(outside, { file: 'outside' });
  await symlink(outside, join(root, 'link'));
  await symlink(join(outside, 'file'), join(root, 'file'));
  for (const path of ['link/new', 'link/file', 'file']) {
    expect((await send(changes([[path, 'evil']]), content('evil'), end)).status).toBe(422);
    expect((await send(changes([], { removed: [path], id: `${id}1` }), end)).status).toBe(422);
  }
  expect(await readFiles(outside)).toEqual({ file: 'outside' });
  const wanted = JSON.stringify({ contents: [{ hash: sha256('outside'), size: 7 }] });
  expect((await call('POST', 'contents', wanted)).status).toBe(200);
  expect((await call('GET', 'tree')).answer).toMatchObject({ files: [] });
});

test('streams that lie are refused, and leave nothing', async () => {
  const { root, send, call } = await tenant({ limits: { maxFileBytes: 1000, maxBytes: 2000, maxFiles: 5 } });
  const header = changes([['a', 'text']]);
  const good = content('text');
  const large = 'x'.repeat(1001);
  const cases: [string, () => Promise<{ status: number }>, number][] = [
    ['nothing', () => send(), 400],
    ['cut in the header', () => send(header.subarray(0, 20)), 400],
    ['cut in a content', () => send(header, good.subarray(0, -2)), 400],
    ['without an end', () => send(header, good), 400],
    ['more after the end', () => send(header, good, end, Buffer.from('more')), 400],
    ['another content', () => send(header, frame({ hash: sha256('text'), size: 4 }, 'TEXT'), end), 400],
    ['a content that was not announced', () => send(header, content('else'), end), 400],
    ['another size', () => send(header, frame({ hash: sha256('text'), size: 5 }, 'text!'), end), 400],
    ['a negative size', () => send(header, frame({ hash: sha256('text'), size: -1 }), end), 400],
    ['many small ones, one of them another', () => send(header, frame({ sizes: [4, 4] }, 'textTEXT'), end), 400],
    ['many small ones, at other places', () => send(header, frame({ sizes: [3, 1] }, 'text'), end), 400],
    ['many small ones, cut', () => send(header, frame({ sizes: [4] }, 'tex')), 400],
    ['many small ones of a negative size', () => send(header, frame({ sizes: [8, -4] }, 'texttext'), end), 400],
    ['many small ones of no size', () => send(header, frame({ sizes: [4, '0'] }, 'text'), end), 400],
    [
      'small ones that are large together',
      () => send(header, frame({ sizes: [4, 1_048_576] }), Buffer.alloc(1_048_580), end),
      400,
    ],
    ['a frame of 4 GB', () => send(Buffer.from([255, 255, 255, 255])), 400],
    ['another protocol', () => send(changes([], { protocol: 3 }), end), 400],
    [
      'a strange mode',
      () => send(frame({ protocol: 2, id, before: [], files: [['a', sha256('x'), 1, 's']], removed: [] }), end),
      400,
    ],
    ['an id that is a path', () => send(changes([['a', 'text']], { id: '../../../x' }), good, end), 400],
    ['a tree nobody knows', () => send(changes([['a', 'text']], { base: sha256('tree') }), good, end), 409],
    ['a file that is too large', () => send(changes([['a', large]]), content(large), end), 413],
    ['too many bytes', () => send(changes(['1', '2', '3'].map((name) => [name, name.repeat(900)])), end), 413],
    ['not compressed', () => call('POST', 'changes', 'plain'), 400],
    [
      'half of the gzip',
      () => call('POST', 'changes', brotliCompressSync(Buffer.concat([header, good, end])).subarray(0, 60)),
      400,
    ],
    [
      'a bomb',
      () =>
        call(
          'POST',
          'changes',
          gzipSync(Buffer.concat([header, frame({ hash: sha256('text'), size: 1e12 }), Buffer.alloc(50_000_000)])),
        ),
      400,
    ],
    ['no JSON', () => call('POST', 'contents', '{'), 400],
  ];
  for (const [what, attempt, status] of cases) {
    expect({ what, status: (await attempt()).status }).toEqual({ what, status });
    expect(await readFiles(root)).toEqual({});
  }
  expect((await send(header, good, end)).status).toBe(200);
});

test('contents come each with its name, or many small ones by what they are', async () => {
  const { root, send } = await tenant();
  const texts = ['one', '', 'three', 'four', 'five'];
  const header = changes(texts.map((text) => [`new/${text || 'empty'}`, text]));
  const many = (...all: string[]) => frame({ sizes: all.map((text) => text.length) }, all.join(''));
  // In any order, and one of them twice.
  expect((await send(header, many('five', 'one'), content('four'), many('three', '', 'one'), end)).status).toBe(200);
  expect(await readFiles(root)).toEqual(Object.fromEntries(texts.map((text) => [`new/${text || 'empty'}`, text])));
});

test('only the token opens, and no token opens nothing', async () => {
  const { call } = await tenant();
  for (const wrong of ['', 'Bearer', `Bearer ${token}x`, `Bearer ${token.slice(1)}`, `Basic ${token}`, token]) {
    for (const path of ['tree', 'files', 'files/manifest', 'nothing']) {
      expect(await call('GET', path, undefined, wrong)).toMatchObject({ status: 401, code: 'unauthorized' });
    }
  }
  expect((await call('GET', 'nothing')).status).toBe(404);
  for (const none of [undefined, '', () => undefined]) {
    const open = await tenant({ token: none });
    for (const given of ['Bearer ', 'Bearer undefined', 'Bearer x']) {
      expect((await open.call('GET', 'tree', undefined, given)).status).toBe(401);
    }
  }
  // The token is in no error.
  const { options } = await pair();
  const error: unknown = await planSync({ ...options, remote: { ...options.remote, token: `${token}x` } }).catch(
    (reason: unknown) => reason,
  );
  expect(error).toMatchObject({ code: 'SP_SYNC_UNAUTHORIZED', status: 401 });
  const unreachable: unknown = await planSync({
    ...options,
    remote: { ...options.remote, url: 'http://127.0.0.1:1', retries: 0 },
  }).catch((reason: unknown) => reason);
  expect(unreachable).toMatchObject({ code: 'SP_SYNC_NETWORK', retryable: true });
  for (const one of [error, unreachable]) expect(inspect(one, { depth: 9 })).not.toContain(token);
});

test.each<[string, string, (tree: Record<string, unknown>) => Record<string, unknown>]>([
  ['a path out of the folder', 'SP_SYNC_UNSAFE_PATH', (tree) => ({ ...tree, files: [['../x', sha256('x'), 1, '-']] })],
  ['an absolute path', 'SP_SYNC_UNSAFE_PATH', (tree) => ({ ...tree, files: [['/x', sha256('x'), 1, '-']] })],
  ['secrets', 'SP_SYNC_UNSAFE_PATH', (tree) => ({ ...tree, files: [['secrets.json', sha256('x'), 1, '-']] })],
  [
    'twins',
    'SP_SYNC_UNSAFE_PATH',
    (tree) => ({ ...tree, files: ['x', 'X'].map((path) => [path, sha256('x'), 1, '-']) }),
  ],
  ['another hash', 'SP_SYNC_DAMAGED', (tree) => ({ ...tree, files: [['x', sha256('x'), 1, '-']] })],
  ['no hash', 'SP_SYNC_DAMAGED', (tree) => ({ ...tree, tree: 'x' })],
  ['a tree that nobody asked for', 'SP_SYNC_DAMAGED', (tree) => ({ ...tree, base: sha256('tree') })],
])('a tenant that says %s is not believed', async (_what, code, change) => {
  const both = await pair({
    wrap: (handler) => async (request) => {
      const answer = await handler(request);
      const { pathname } = new URL(request.url);
      return pathname.endsWith('/tree')
        ? Response.json(change((await answer.json()) as Record<string, unknown>))
        : answer;
    },
  });
  await writeFiles(both.local, { mine: 'mine' });
  const error: unknown = await planSync(both.options).catch((reason: unknown) => reason);
  expect(error).toMatchObject({ code });
  expect(await readFiles(both.local)).toEqual({ mine: 'mine' });
});

test('a tenant that sends other contents than it said changes nothing here', async () => {
  let sent: Buffer = Buffer.alloc(0);
  const both = await pair({
    wrap: (handler) => async (request) => {
      const answer = await handler(request);
      if (!request.url.endsWith('/contents')) return answer;
      return new Response(brotliCompressSync(sent), {
        headers: { 'content-type': 'application/vnd.systemprompt.sync' },
      });
    },
  });
  await writeFiles(both.remote, { a: 'text' });
  const options = { ...both.options, remote: { ...both.options.remote, retries: 0 } };
  const plan = await planSync(options);
  for (const frames of [
    [frame({ protocol: 2 }), frame({ hash: sha256('text'), size: 4 }, 'TEXT'), end],
    [frame({ protocol: 2 }), content('else'), end],
    [frame({ protocol: 2 }), frame({ sizes: [4] }, 'else'), end],
    [frame({ protocol: 2 }), content('text').subarray(0, -1)],
    [frame({ protocol: 2 }), frame({ hash: sha256('text'), size: 4, gone: true }), end],
    [frame({ protocol: 2 }), end],
    [Buffer.from('x')],
  ]) {
    sent = Buffer.concat(frames);
    const error: unknown = await applySync(plan, options).catch((reason: unknown) => reason);
    expect(isSyncError(error) && ['SP_SYNC_DAMAGED', 'SP_SYNC_MOVED'].includes(error.code)).toBe(true);
    expect(await readFiles(both.local)).toEqual({});
  }
  sent = Buffer.concat([frame({ protocol: 2 }), content('text'), end]);
  await applySync(plan, options);
  expect(await readFiles(both.local)).toEqual({ a: 'text' });
});

const file = (name: string, body = 'evil'): TarEntry => ({
  header: { name, size: Buffer.byteLength(body), type: 'file' },
  body,
});

test.each<[string, TarEntry[]]>([
  ['a path out of the folder', [file('content/good'), file('../evil')]],
  ['an absolute path', [file('/etc/evil')]],
  [
    'a link',
    [{ header: { name: 'content/link', type: 'symlink', linkname: '/etc/passwd', size: 0 } }, file('content/link/x')],
  ],
  ['a hard link', [{ header: { name: 'content/link', type: 'link', linkname: '/etc/passwd', size: 0 } }]],
  ['a device', [{ header: { name: 'content/dev', type: 'character-device', size: 0 } }]],
  ['a pipe', [{ header: { name: 'content/pipe', type: 'fifo', size: 0 } }]],
  ['twins', [file('content/a'), file('content/A')]],
  ['a name twice', [file('content/a', '1'), file('content/a', '2')]],
  ['a file that is a folder too', [file('content/a'), file('content/a/b')]],
  ['secrets', [file('config/secrets.json')]],
  ['the own folder', [file('.systemprompt/sync/index')]],
  ['a folder out of it', [{ header: { name: '../x/', type: 'directory', size: 0 } }]],
])('a tarball with %s is refused whole, on both sides', async (_what, entries) => {
  const tarball = gzipSync(await packTar([file('content/first'), ...entries]));
  const { root, call } = await tenant();
  const refused = await call('POST', 'files', tarball);
  expect(refused.status).toBe(422);
  expect(await readFiles(root)).toEqual({});

  const both = await pair({
    wrap: (handler) => async (request) => {
      if (request.method !== 'GET') return handler(request);
      return request.url.endsWith('/files') ? new Response(tarball) : new Response(null, { status: 404 });
    },
  });
  await expect(planSync(both.options)).rejects.toMatchObject({ code: 'SP_SYNC_UNSAFE_PATH' });
  expect(await readFiles(both.local)).toEqual({});
});

test('tarballs that are cut, no tarballs, or bombs are refused', async () => {
  const { root, call } = await tenant({ limits: { maxBytes: 1_000_000, maxFileBytes: 500_000, maxFiles: 10 } });
  const good = gzipSync(await packTar([file('content/a')]));
  const many = Array.from({ length: 12 }, (_, index) => file(`content/${index}`));
  expect((await call('POST', 'files', good.subarray(0, good.length - 20))).status).toBe(400);
  expect((await call('POST', 'files', 'nothing')).status).toBe(400);
  expect((await call('POST', 'files', gzipSync(await packTar([file('content/a', 'x'.repeat(600_000))])))).status).toBe(
    413,
  );
  expect((await call('POST', 'files', gzipSync(await packTar(many)))).status).toBe(413);
  expect(await readFiles(root)).toEqual({});
  const uploaded = await call('POST', 'files', good);
  expect(uploaded).toMatchObject({
    status: 200,
    answer: { files_uploaded: 1, uploaded_at: expect.any(String) as string },
  });
});

test("the predecessor's client finds what it knows", async () => {
  const { root, call } = await tenant();
  await writeFiles(root, { 'agents/a': 'a', 'content/b': 'bb', 'secrets.json': 'x' });
  const manifest = (await call('GET', 'files/manifest')).answer as { files: { path: string }[]; checksum: string };
  expect(manifest).toMatchObject({
    files: expect.arrayContaining([{ path: 'content/b', checksum: sha256('bb'), size: 2 }]) as object,
    total_size: 3,
    timestamp: expect.any(String) as string,
  });
  expect(manifest.files).toHaveLength(2);
  const filtered = (await call('GET', 'files?filter=agents,web&dry_run=true')).answer;
  expect(filtered).toMatchObject({ files: [{ path: 'agents/a' }], checksum: sha256(sha256('a')) });
  const tarball = gzipSync(await packTar([file('agents/a', 'new')]));
  const dry = await call('POST', 'files?dry_run=true', tarball);
  expect(dry.answer).toMatchObject({ files_uploaded: 0, manifest: { files: [{ path: 'agents/a' }] } });
  expect(await readFiles(root)).toMatchObject({ 'agents/a': 'a' });
  await call('POST', 'files', tarball);
  expect(await readFiles(root)).toMatchObject({ 'agents/a': 'new' });
  // Kept first, like everything.
  const kept = join(root, '.systemprompt', 'sync', 'kept');
  expect(await readFile(join(kept, (await readdir(kept))[0] ?? ''), 'utf8')).toBe('a');
  expect(tarballsOnly).toBeDefined();
});

test('what is kept of files that stand where a folder should be is not touched', async () => {
  const { root, send } = await tenant();
  await writeFile(join(root, 'a'), 'file');
  expect(await send(changes([['a/b', 'x']]), content('x'), end)).toMatchObject({ status: 409, code: 'SP_SYNC_MOVED' });
  expect(await readFiles(root)).toEqual({ a: 'file' });
});

test('a plan that is none of ours reads and writes nothing outside', async () => {
  const { local, options } = await pair();
  await writeFiles(local, { a: 'a' });
  const plan = await planSync(options);
  const facts = { hash: sha256('x'), size: 1, mode: 0o644 };
  for (const path of ['../state/base', '/etc/passwd', '.env', 'a/../../x']) {
    for (const change of [
      { up: [{ path, after: facts }] },
      { down: [{ path, after: facts }] },
      { down: [{ path, before: facts }] },
    ]) {
      const error: unknown = await applySync({ ...plan, ...change }, options).catch((reason: unknown) => reason);
      expect(error).toMatchObject({ code: 'SP_SYNC_UNSAFE_PATH', path });
    }
  }
  const error: unknown = await applySync({ ...plan, id: '../../x' }, options).catch((reason: unknown) => reason);
  expect(error).toMatchObject({ code: 'SP_SYNC_DAMAGED' });
});
