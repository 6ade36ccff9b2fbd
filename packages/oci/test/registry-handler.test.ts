import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createDiskRegistryStorage, createRegistryHandler, digestOf, type RegistryAccess } from '../src/index.ts';
import { serve } from './serve.ts';
import { noise, temporaryFolder } from './setup.ts';

async function registry(limits: { maxBlobBytes?: number; maxManifestBytes?: number } = {}) {
  const folder = await temporaryFolder();
  const storage = createDiskRegistryStorage(folder.path);
  const seen: RegistryAccess[] = [];
  const handler = createRegistryHandler({
    storage,
    ...limits,
    authorize: (access) => {
      seen.push(access);
      return Promise.resolve(
        (access.repository !== undefined && access.request.headers.get('x-without') === access.repository) ||
          (access.tag !== undefined && access.request.headers.get('x-without-tag') === access.tag)
          ? { allow: false, status: 403, code: 'DENIED', message: 'not yours' }
          : { allow: true },
      );
    },
  });
  const server = await serve(handler);
  const call = (path: string, init: RequestInit = {}) => fetch(new URL(path, server.url), init);
  return {
    storage,
    seen,
    call,
    folder: folder.path,
    async upload(repository: string, content: Uint8Array) {
      const digest = digestOf(content);
      const init = { method: 'POST', body: content };
      const response = await call(`/v2/${repository}/blobs/uploads/?digest=${digest}`, init);
      expect(response.status).toBe(201);
      return digest;
    },
    async start(repository: string) {
      const response = await call(`/v2/${repository}/blobs/uploads/`, { method: 'POST' });
      expect(response.status).toBe(202);
      return response.headers.get('location') ?? '';
    },
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

async function errorOf(response: Response): Promise<{ status: number; code: string }> {
  const { errors } = (await response.json()) as { errors: { code: string }[] };
  return { status: response.status, code: errors[0]?.code ?? '' };
}

test('the version check answers, and everything is authorized first', async () => {
  await using server = await registry();
  const response = await server.call('/v2/');
  expect(response.status).toBe(200);
  expect(response.headers.get('docker-distribution-api-version')).toBe('registry/2.0');
  await server.call('/v2/nothing');
  await server.call('/v2/UPPER/blobs/uploads/', { method: 'POST' });
  await server.call('/v2/app/manifests/v1', { method: 'DELETE' });
  const facts = server.seen.map(({ action, repository, tag }) => [action, repository, tag]);
  expect(facts).toEqual([
    ['pull', undefined, undefined],
    ['pull', undefined, undefined],
    ['push', undefined, undefined],
    ['push', 'app', 'v1'],
  ]);
});

test.each([
  ['GET', '/v2/UPPER/tags/list', 400, 'NAME_INVALID'],
  ['GET', '/v2/a/../b/blobs/x', 400, 'DIGEST_INVALID'],
  ['GET', '/v2/app/blobs/sha256:12', 400, 'DIGEST_INVALID'],
  ['GET', `/v2/app/blobs/sha512:${'a'.repeat(128)}`, 404, 'BLOB_UNKNOWN'],
  ['GET', `/v2/app/blobs/sha512:${'a'.repeat(64)}`, 400, 'DIGEST_INVALID'],
  ['GET', '/v2/app/referrers/latest', 400, 'DIGEST_INVALID'],
  ['GET', `/v2/app/blobs/sha256:${'a'.repeat(64)}`, 404, 'BLOB_UNKNOWN'],
  ['GET', `/v2/app/manifests/sha256%3A${'a'.repeat(64)}`, 404, 'MANIFEST_UNKNOWN'],
  ['GET', '/v2/app/manifests/v1', 404, 'MANIFEST_UNKNOWN'],
  ['GET', '/v2/app/tags/list', 404, 'NAME_UNKNOWN'],
  ['GET', '/v2/app/blobs/uploads/nothing', 404, 'BLOB_UPLOAD_UNKNOWN'],
  ['PATCH', '/v2/app/blobs/uploads/..%2f..%2fsecret', 404, 'BLOB_UPLOAD_UNKNOWN'],
  ['PATCH', '/v2/app/blobs/uploads/00000000-0000-0000-0000-000000000000', 404, 'BLOB_UPLOAD_UNKNOWN'],
  ['DELETE', '/v2/app/manifests/v1', 405, 'UNSUPPORTED'],
  ['DELETE', `/v2/app/blobs/sha256:${'a'.repeat(64)}`, 405, 'UNSUPPORTED'],
  ['GET', '/v2/_catalog', 404, 'UNSUPPORTED'],
])('%s %s is %i %s', async (method, path, status, code) => {
  await using server = await registry();
  expect(await errorOf(await server.call(path, { method }))).toEqual({ status, code });
});

test('a blob with another digest is refused and nothing is left', async () => {
  await using server = await registry();
  const digest = digestOf(Buffer.from('expected'));
  const location = await server.start('app');
  const put = await server.call(`${location}?digest=${digest}`, { method: 'PUT', body: 'something else' });
  expect(await errorOf(put)).toEqual({ status: 400, code: 'DIGEST_INVALID' });
  expect((await server.call(location)).status).toBe(404);
  expect((await server.call(`/v2/app/blobs/${digest}`, { method: 'HEAD' })).status).toBe(404);
  expect(await readdir(join(server.folder, 'repositories', 'app', '_uploads'))).toEqual([]);
  expect(await readdir(join(server.folder, 'blobs')).catch(() => [])).toEqual([]);
});

test('a blob in one request, in a stream as Docker sends it, and in numbered chunks', async () => {
  await using server = await registry();
  const content = noise(500_000, 9);
  const digest = digestOf(content);
  await server.upload('one', content);

  const stream = await server.start('two');
  const patched = await server.call(stream, { method: 'PATCH', body: content });
  expect(patched.status).toBe(202);
  expect(patched.headers.get('range')).toBe('0-499999');
  const finished = await server.call(`${patched.headers.get('location')}?digest=${digest}`, { method: 'PUT' });
  expect(finished.status).toBe(201);
  expect(finished.headers.get('location')).toBe(`/v2/two/blobs/${digest}`);
  expect(finished.headers.get('docker-content-digest')).toBe(digest);

  const chunked = await server.start('three');
  const part = (start: number, end: number) => ({
    method: 'PATCH',
    body: content.subarray(start, end),
    headers: { 'content-range': `${start}-${end - 1}` },
  });
  expect((await server.call(chunked, part(0, 1000))).status).toBe(202);
  const early = await server.call(chunked, part(2000, 3000));
  expect(early.headers.get('range')).toBe('0-999');
  expect(await errorOf(early)).toEqual({ status: 416, code: 'BLOB_UPLOAD_INVALID' });
  expect((await server.call(chunked, part(1000, 2000))).status).toBe(202);
  const status = await server.call(chunked);
  expect([status.status, status.headers.get('range')]).toEqual([204, '0-1999']);
  const rest = { ...part(2000, 500_000), method: 'PUT' };
  expect((await server.call(`${chunked}?digest=${digest}`, rest)).status).toBe(201);

  for (const repository of ['one', 'two', 'three']) {
    const blob = await server.call(`/v2/${repository}/blobs/${digest}`);
    expect(Buffer.from(await blob.arrayBuffer()).equals(content)).toBe(true);
  }
  expect(await readdir(join(server.folder, 'blobs', 'sha256'))).toHaveLength(1);
});

test('an upload goes on after a restart, belongs to its repository, and can be cancelled', async () => {
  await using server = await registry();
  const content = noise(10_000, 2);
  const location = await server.start('app');
  await server.call(location, { method: 'PATCH', body: content.subarray(0, 6000) });
  const elsewhere = location.replace('/v2/app/', '/v2/other/');
  expect((await server.call(elsewhere, { method: 'PATCH', body: 'intruder' })).status).toBe(404);
  const restarted = createRegistryHandler({
    storage: createDiskRegistryStorage(server.folder),
    authorize: () => Promise.resolve({ allow: true }),
  });
  const url = `http://registry.test${location}?digest=${digestOf(content)}`;
  const done = await restarted(new Request(url, { method: 'PUT', body: content.subarray(6000) }));
  expect(done.status).toBe(201);
  const another = await server.start('app');
  expect((await server.call(another, { method: 'DELETE' })).status).toBe(204);
  expect((await server.call(another, { method: 'DELETE' })).status).toBe(404);
});

test('parts of a blob', async () => {
  await using server = await registry();
  const content = noise(1000, 3);
  const url = `/v2/app/blobs/${await server.upload('app', content)}`;
  const get = async (range: string) => {
    const response = await server.call(url, { headers: { range } });
    const body = Buffer.from(await response.arrayBuffer());
    return { status: response.status, range: response.headers.get('content-range'), body };
  };
  expect(await get('bytes=0-9')).toEqual({ status: 206, range: 'bytes 0-9/1000', body: content.subarray(0, 10) });
  expect(await get('bytes=990-')).toEqual({ status: 206, range: 'bytes 990-999/1000', body: content.subarray(990) });
  expect(await get('bytes=-5')).toEqual({ status: 206, range: 'bytes 995-999/1000', body: content.subarray(995) });
  expect(await get('bytes=900-5000')).toMatchObject({ status: 206, range: 'bytes 900-999/1000' });
  expect(await get('bytes=1000-')).toMatchObject({ status: 416, range: 'bytes */1000' });
  expect(await get('bytes=0-1,4-5')).toMatchObject({ status: 200, body: content });
  const head = await server.call(url, { method: 'HEAD' });
  expect([head.status, head.headers.get('content-length')]).toEqual([200, '1000']);
});

test('content of one repository is not visible in another until it is mounted by who may read it', async () => {
  await using server = await registry();
  const digest = await server.upload('mine', noise(100, 1));
  expect((await server.call(`/v2/theirs/blobs/${digest}`)).status).toBe(404);
  const mount = (from: string, headers = {}) =>
    server.call(`/v2/theirs/blobs/uploads/?mount=${digest}${from}`, { method: 'POST', headers });
  for (const from of ['', '&from=nothing', '&from=..%2Fmine', '&from=']) expect((await mount(from)).status).toBe(202);
  expect((await mount('&from=mine', { 'x-without': 'mine' })).status).toBe(202);
  expect((await server.call(`/v2/theirs/blobs/${digest}`)).status).toBe(404);
  const mounted = await mount('&from=mine');
  expect([mounted.status, mounted.headers.get('location')]).toEqual([201, `/v2/theirs/blobs/${digest}`]);
  expect((await server.call(`/v2/theirs/blobs/${digest}`)).status).toBe(200);
  const again = `/v2/mine/blobs/uploads/?mount=${digest}&from=mine`;
  expect((await server.call(again, { method: 'POST' })).status).toBe(201);
});

const manifestType = 'application/vnd.oci.image.manifest.v1+json';

test('a manifest needs its blobs, keeps its bytes and type, and moves its tag', async () => {
  await using server = await registry();
  const config = Buffer.from('{}');
  const descriptor = { mediaType: 'application/vnd.oci.empty.v1+json', digest: digestOf(config), size: 2 };
  // Odd spacing: the bytes have to survive, not the meaning only.
  const manifest = (size: number) =>
    JSON.stringify({ schemaVersion: 2, mediaType: manifestType, config: { ...descriptor, size }, layers: [] }, null, 3);
  const put = (reference: string, body: string, type = manifestType) =>
    server.call(`/v2/app/manifests/${reference}`, { method: 'PUT', body, headers: { 'content-type': type } });
  expect(await errorOf(await put('v1', manifest(2)))).toEqual({ status: 400, code: 'MANIFEST_BLOB_UNKNOWN' });
  await server.upload('other', config);
  expect(await errorOf(await put('v1', manifest(2)))).toEqual({ status: 400, code: 'MANIFEST_BLOB_UNKNOWN' });
  await server.upload('app', config);
  expect(await errorOf(await put('v1', manifest(3)))).toEqual({ status: 400, code: 'SIZE_INVALID' });
  expect(await errorOf(await put('v1', 'no json'))).toEqual({ status: 400, code: 'MANIFEST_INVALID' });
  expect(await errorOf(await put('v1', manifest(2), 'text/plain'))).toEqual({ status: 400, code: 'MANIFEST_INVALID' });
  const wrong = digestOf(Buffer.from('wrong'));
  expect(await errorOf(await put(wrong, manifest(2)))).toEqual({ status: 400, code: 'DIGEST_INVALID' });
  expect((await server.call('/v2/app/tags/list')).status).toBe(404);

  const stored = await put('v1', manifest(2));
  const digest = digestOf(Buffer.from(manifest(2)));
  expect([stored.status, stored.headers.get('docker-content-digest')]).toEqual([201, digest]);
  for (const reference of ['v1', digest]) {
    const got = await server.call(`/v2/app/manifests/${reference}`);
    expect(got.headers.get('content-type')).toBe(manifestType);
    expect(await got.text()).toBe(manifest(2));
  }
  const index = JSON.stringify({
    schemaVersion: 2,
    manifests: [{ mediaType: manifestType, digest, size: stored.status }],
  });
  const indexType = 'application/vnd.oci.image.index.v1+json';
  expect(await errorOf(await put('v1', index, indexType))).toEqual({ status: 400, code: 'SIZE_INVALID' });
  const right = index.replace('201', String(manifest(2).length));
  expect((await put('v1', right, indexType)).status).toBe(201);
  expect(await (await server.call('/v2/app/manifests/v1')).text()).toBe(right);
  expect((await server.call(`/v2/other/manifests/${digest}`)).status).toBe(404);
});

test('tags come in order and in pages', async () => {
  await using server = await registry();
  for (const tag of ['c', 'a', 'B', 'd']) {
    await server.storage.writeManifest('app', { bytes: Buffer.from('{}'), mediaType: manifestType, tag });
  }
  const all = await server.call('/v2/app/tags/list');
  expect(await all.json()).toEqual({ name: 'app', tags: ['B', 'a', 'c', 'd'] });
  const page = await server.call('/v2/app/tags/list?n=3');
  expect(await page.json()).toEqual({ name: 'app', tags: ['B', 'a', 'c'] });
  const next = /<(.*)>; rel="next"/.exec(page.headers.get('link') ?? '')?.[1] ?? '';
  const last = await server.call(next);
  expect(await last.json()).toEqual({ name: 'app', tags: ['d'] });
  expect(last.headers.get('link')).toBeNull();
});

test('limits hold, whether or not the client says how much it sends', async () => {
  await using server = await registry({ maxBlobBytes: 1000, maxManifestBytes: 1000 });
  const content = noise(2000, 1);
  const stream = () =>
    new ReadableStream<Uint8Array>({
      start(controller) {
        controller.enqueue(content);
        controller.close();
      },
    });
  for (const body of [content, stream()]) {
    const init: RequestInit = { method: 'PATCH', body, duplex: 'half' };
    expect(await errorOf(await server.call(await server.start('app'), init))).toEqual({
      status: 413,
      code: 'SIZE_INVALID',
    });
  }
  const init = { method: 'PUT', body: stream(), duplex: 'half', headers: { 'content-type': manifestType } } as const;
  expect(await errorOf(await server.call('/v2/app/manifests/v1', init))).toEqual({ status: 413, code: 'SIZE_INVALID' });
  expect(await readdir(join(server.folder, 'repositories', 'app', '_uploads'))).toEqual([]);
});

test('a manifest that is pushed by digest takes tags with it, each of them allowed', async () => {
  await using server = await registry();
  const config = await server.upload('app', Buffer.from('{}'));
  const descriptor = { mediaType: 'application/vnd.oci.image.config.v1+json', digest: config, size: 2 };
  const mediaType = 'application/vnd.oci.image.manifest.v1+json';
  const body = JSON.stringify({ schemaVersion: 2, mediaType, config: descriptor, layers: [] });
  const digest = digestOf(Buffer.from(body));
  const put = (query: string, headers = {}) =>
    server.call(`/v2/app/manifests/${digest}${query}`, {
      method: 'PUT',
      body,
      headers: { 'content-type': mediaType, ...headers },
    });
  server.seen.length = 0;
  const answer = await put('?tag=v1&tag=latest&tag=v1');
  expect([answer.status, answer.headers.get('oci-tag')]).toEqual([201, 'v1, latest']);
  expect(server.seen.map(({ tag }) => tag)).toEqual([undefined, 'v1', 'latest']);
  for (const tag of ['v1', 'latest']) expect(await server.storage.resolve('app', tag)).toMatchObject({ digest });
  expect((await put('')).headers.get('oci-tag')).toBeNull();
  expect(await errorOf(await put('?tag=no/tag'))).toEqual({ status: 400, code: 'MANIFEST_INVALID' });
  const many = Array.from({ length: 11 }, (_, index) => `tag=t${index}`).join('&');
  expect(await errorOf(await put(`?${many}`))).toEqual({ status: 400, code: 'MANIFEST_INVALID' });
  expect(await errorOf(await put('?tag=other', { 'x-without-tag': 'other' }))).toEqual({ status: 403, code: 'DENIED' });
  expect(await server.storage.resolve('app', 'other')).toBeUndefined();
});
