import { expect, test } from 'vitest';
import { createDiskRegistryStorage, createRegistryHandler, type Digest, digestOf, isDigest } from '../src/index.ts';
import { noise, temporaryFolder } from './setup.ts';

// The endpoints of the OCI distribution specification 1.1 and their cases, one by one, in its own numbering.

const manifestType = 'application/vnd.oci.image.manifest.v1+json';
const indexType = 'application/vnd.oci.image.index.v1+json';

async function registry() {
  const folder = await temporaryFolder();
  const storage = createDiskRegistryStorage(folder.path);
  const handler = createRegistryHandler({
    storage,
    allowDelete: true,
    authorize: () => Promise.resolve({ allow: true }),
  });
  const call = (method: string, path: string, init: RequestInit = {}) =>
    handler(new Request(new URL(path, 'http://registry.test'), { method, ...init, duplex: 'half' }));
  const status = async (method: string, path: string, init: RequestInit = {}) => {
    const response = await call(method, path, init);
    await response.body?.cancel();
    return response.status;
  };
  const upload = async (content: Uint8Array, algorithm: 'sha256' | 'sha512' = 'sha256') => {
    const digest = digestOf(content, algorithm);
    expect(await status('POST', `/v2/app/blobs/uploads/?digest=${digest}`, { body: content })).toBe(201);
    return digest;
  };
  const put = (reference: string, document: unknown, type = manifestType) => {
    const body = typeof document === 'string' ? document : JSON.stringify(document);
    return call('PUT', `/v2/app/manifests/${reference}`, { body, headers: { 'content-type': type } });
  };
  return { call, status, upload, put, storage, [Symbol.asyncDispose]: folder[Symbol.asyncDispose] };
}

async function emptyConfig(server: { upload(content: Uint8Array): Promise<Digest> }) {
  const content = Buffer.from('{}');
  const digest = await server.upload(content);
  return { mediaType: 'application/vnd.oci.empty.v1+json', digest, size: content.length };
}

async function start(server: { call(method: string, path: string): Promise<Response> }, query = ''): Promise<string> {
  const response = await server.call('POST', `/v2/app/blobs/uploads/${query}`);
  expect(response.status).toBe(202);
  const location = response.headers.get('location') ?? '';
  expect(location).not.toBe('');
  return location;
}

test('end-1, end-2: the version, and blobs whole and in part', async () => {
  await using server = await registry();
  expect(await server.status('GET', '/v2/')).toBe(200);
  const content = noise(1000, 1);
  const digest = await server.upload(content);
  const missing = digestOf(Buffer.from('missing'));
  for (const method of ['GET', 'HEAD']) {
    const response = await server.call(method, `/v2/app/blobs/${digest}`);
    expect([response.status, response.headers.get('content-length')]).toEqual([200, '1000']);
    expect(response.headers.get('docker-content-digest')).toBe(digest);
    await response.body?.cancel();
    expect(await server.status(method, `/v2/app/blobs/${missing}`)).toBe(404);
    expect(await server.status(method, `/v2/app/blobs/sha256:total-nonsense`)).toBe(400);
  }
  const range = (value: string) => server.call('GET', `/v2/app/blobs/${digest}`, { headers: { range: value } });
  const part = await range('bytes=10-19');
  expect([part.status, part.headers.get('content-range')]).toEqual([206, 'bytes 10-19/1000']);
  expect(Buffer.from(await part.arrayBuffer()).equals(content.subarray(10, 20))).toBe(true);
  expect((await range('bytes=1000-1001')).status).toBe(416);
});

test('end-3, end-7: manifests by tag and by digest', async () => {
  await using server = await registry();
  const config = await emptyConfig(server);
  const text = JSON.stringify({ schemaVersion: 2, mediaType: manifestType, config, layers: [] }, null, 2);
  const digest = digestOf(Buffer.from(text));
  for (const reference of ['v1', digest]) {
    const stored = await server.put(reference, text);
    expect([stored.status, stored.headers.get('docker-content-digest')]).toEqual([201, digest]);
    expect(stored.headers.get('location')).toBe(`/v2/app/manifests/${digest}`);
    expect(stored.headers.get('oci-subject')).toBeNull();
    for (const method of ['GET', 'HEAD']) {
      const response = await server.call(method, `/v2/app/manifests/${reference}`);
      expect([response.status, response.headers.get('content-type')]).toEqual([200, manifestType]);
      expect(response.headers.get('docker-content-digest')).toBe(digest);
      expect(await response.text()).toBe(method === 'HEAD' ? '' : text);
    }
  }
  expect(await server.status('GET', '/v2/app/manifests/.invalid')).toBe(400);
  expect(await server.status('HEAD', '/v2/app/manifests/unknown')).toBe(404);
  expect((await server.put('v1', 'blablabla')).status).toBe(400);
  const nothing = { ...config, digest: digestOf(Buffer.from('nothing')) };
  expect((await server.put('v1', { schemaVersion: 2, config, layers: [nothing] })).status).toBe(400);
  const large = { schemaVersion: 2, config, layers: [], annotations: { large: 'x'.repeat(3_900_000) } };
  expect((await server.put('large', large)).status).toBe(201);
  const tooLarge = { ...large, annotations: { large: 'x'.repeat(4_300_000) } };
  expect((await server.put('large', tooLarge)).status).toBe(413);
});

test('end-4b: a blob in one request, and an empty one', async () => {
  await using server = await registry();
  for (const content of [noise(5000, 2), Buffer.alloc(0)]) {
    const digest = await server.upload(content);
    expect(await server.status('HEAD', `/v2/app/blobs/${digest}`)).toBe(200);
    const wrong = digestOf(Buffer.from('wrong'));
    expect(await server.status('POST', `/v2/app/blobs/uploads/?digest=${wrong}`, { body: content })).toBe(400);
    expect(await server.status('HEAD', `/v2/app/blobs/${wrong}`)).toBe(404);
  }
  expect(await server.status('POST', '/v2/app/blobs/uploads/?digest=md5:1234', { body: 'x' })).toBe(400);
});

test('end-4a, end-6: a blob in two requests', async () => {
  await using server = await registry();
  const content = noise(5000, 3);
  const digest = digestOf(content);
  const location = await start(server);
  const done = await server.call('PUT', `${location}?digest=${digest}`, { body: content });
  expect([done.status, done.headers.get('location')]).toEqual([201, `/v2/app/blobs/${digest}`]);
  const again = await start(server);
  expect(await server.status('PUT', `${again}?digest=${digestOf(Buffer.from('x'))}`, { body: content })).toBe(400);
  expect(await server.status('PUT', await start(server), { body: content })).toBe(400);
});

test('end-5, end-13: chunks in order, refused out of order, and taken up again', async () => {
  await using server = await registry();
  const content = noise(3000, 4);
  const location = await start(server);
  const chunk = (first: number, end: number, range = `${first}-${end - 1}`) =>
    server.call('PATCH', location, { body: content.subarray(first, end), headers: { 'content-range': range } });
  const where = async () => {
    const response = await server.call('GET', location);
    expect(response.headers.get('location')).toBe(location);
    return [response.status, response.headers.get('range')];
  };
  expect((await chunk(1000, 2000)).status).toBe(416);
  const first = await chunk(0, 1000);
  expect([first.status, first.headers.get('range'), first.headers.get('location')]).toEqual([202, '0-999', location]);
  // The same again, one with a hole, and one that says nonsense.
  for (const refused of [await chunk(0, 1000), await chunk(2000, 3000), await chunk(1000, 2000, 'a-b')]) {
    expect([refused.status, refused.headers.get('range')]).toEqual([416, '0-999']);
  }
  expect(await where()).toEqual([204, '0-999']);
  expect((await chunk(1000, 2000)).status).toBe(202);
  const last = { body: content.subarray(2000), headers: { 'content-range': '2000-2999' } };
  expect(await server.status('PUT', `${location}?digest=${digestOf(content)}`, last)).toBe(201);
  expect(await server.status('GET', location)).toBe(404);
});

test('end-5 as Docker does it: one stream without a range', async () => {
  await using server = await registry();
  const content = noise(100_000, 5);
  const location = await start(server);
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (let at = 0; at < content.length; at += 9999) controller.enqueue(content.subarray(at, at + 9999));
      controller.close();
    },
  });
  expect(await server.status('PATCH', location, { body })).toBe(202);
  expect(await server.status('PUT', `${location}?digest=${digestOf(content)}`)).toBe(201);
});

test('end-14: an upload is given up', async () => {
  await using server = await registry();
  const location = await start(server);
  expect(await server.status('DELETE', location)).toBe(204);
  for (const method of ['GET', 'PATCH', 'DELETE']) expect(await server.status(method, location)).toBe(404);
});

test('end-11: a blob is mounted, or an upload starts', async () => {
  await using server = await registry();
  const digest = await server.upload(noise(10, 6));
  const mount = (query: string) => server.call('POST', `/v2/other/blobs/uploads/?${query}`);
  const mounted = await mount(`mount=${digest}&from=app`);
  expect([mounted.status, mounted.headers.get('location')]).toEqual([201, `/v2/other/blobs/${digest}`]);
  for (const query of [`mount=${digestOf(Buffer.from('x'))}&from=app`, `mount=${digestOf(Buffer.from('x'))}`]) {
    const response = await mount(query);
    expect([response.status, response.headers.get('location')]).toEqual([202, expect.stringContaining('/uploads/')]);
  }
});

test('end-8: tags in pages', async () => {
  await using server = await registry();
  const config = await emptyConfig(server);
  for (const tag of ['d', 'b', 'a', 'c']) await server.put(tag, { schemaVersion: 2, config, layers: [] });
  const list = async (query: string) => {
    const response = await server.call('GET', `/v2/app/tags/list${query}`);
    const { tags } = (await response.json()) as { tags: string[] };
    return { tags, next: /^<(.+)>; rel="next"$/.exec(response.headers.get('link') ?? '')?.[1] };
  };
  expect(await list('')).toEqual({ tags: ['a', 'b', 'c', 'd'], next: undefined });
  const pages: string[][] = [];
  for (let query: string | undefined = '?n=3'; query !== undefined; ) {
    const page: { tags: string[]; next: string | undefined } = await list(query);
    pages.push(page.tags);
    query = page.next?.replace('/v2/app/tags/list', '');
  }
  expect(pages).toEqual([['a', 'b', 'c'], ['d']]);
  expect((await list('?n=0')).tags).toEqual([]);
  expect((await list('?n=100&last=b')).tags).toEqual(['c', 'd']);
  // After a tag that is not there.
  expect((await list('?last=bb')).tags).toEqual(['c', 'd']);
  expect(await server.status('GET', '/v2/nothing/tags/list')).toBe(404);
});

test('end-12: referrers, filtered, also of a manifest that is not there yet', async () => {
  await using server = await registry();
  const config = await emptyConfig(server);
  const image = JSON.stringify({ schemaVersion: 2, mediaType: manifestType, config, layers: [] });
  const subject = { mediaType: manifestType, digest: digestOf(Buffer.from(image)), size: image.length };
  const list = async (query = '', digest: Digest = subject.digest) => {
    const response = await server.call('GET', `/v2/app/referrers/${digest}${query}`);
    expect([response.status, response.headers.get('content-type')]).toEqual([200, indexType]);
    const { schemaVersion, mediaType, manifests } = (await response.json()) as {
      [key: string]: unknown;
      manifests: { digest: string; artifactType?: string }[];
    };
    expect([schemaVersion, mediaType]).toEqual([2, indexType]);
    return { manifests, filters: response.headers.get('oci-filters-applied') };
  };
  expect((await list()).manifests).toEqual([]);
  const about = { schemaVersion: 2, layers: [], subject };
  const signature = {
    ...about,
    mediaType: manifestType,
    artifactType: 'test/signature',
    config,
    annotations: { who: 'me' },
  };
  const bill = { ...about, mediaType: manifestType, config: { ...config, mediaType: 'test/bill' } };
  const index = { schemaVersion: 2, mediaType: indexType, manifests: [], subject };
  const digests: Digest[] = [];
  for (const document of [signature, bill, index]) {
    const digest = digestOf(Buffer.from(JSON.stringify(document)));
    const stored = await server.put(digest, document, document.mediaType);
    expect([stored.status, stored.headers.get('oci-subject')]).toEqual([201, subject.digest]);
    digests.push(digest);
  }
  expect((await server.put('v1', image)).status).toBe(201);
  const all = await list();
  expect(all.filters).toBeNull();
  expect(all.manifests.map(({ digest }) => digest).sort()).toEqual(digests.toSorted());
  expect(await list('?artifactType=test%2Fsignature')).toEqual({
    filters: 'artifactType',
    manifests: [
      {
        mediaType: manifestType,
        digest: digests[0],
        size: JSON.stringify(signature).length,
        artifactType: 'test/signature',
        annotations: { who: 'me' },
      },
    ],
  });
  expect((await list('?artifactType=test/bill')).manifests).toMatchObject([
    { digest: digests[1], artifactType: 'test/bill' },
  ]);
  expect((await list('?artifactType=unknown')).manifests).toEqual([]);
  expect((await list('', digestOf(Buffer.from('unknown')))).manifests).toEqual([]);
  expect(await server.status('DELETE', `/v2/app/manifests/${digests[0]}`)).toBe(202);
  expect((await list()).manifests.map(({ digest }) => digest).sort()).toEqual(digests.slice(1).sort());
});

test('end-9, end-10: tags, manifests and blobs are deleted', async () => {
  await using server = await registry();
  const config = await emptyConfig(server);
  const document = { schemaVersion: 2, mediaType: manifestType, config, layers: [] };
  const digest = digestOf(Buffer.from(JSON.stringify(document)));
  for (const tag of ['one', 'two', 'three']) await server.put(tag, document);
  expect(await server.status('DELETE', '/v2/app/manifests/one')).toBe(202);
  expect(await server.status('GET', '/v2/app/manifests/one')).toBe(404);
  expect(await server.status('GET', '/v2/app/manifests/two')).toBe(200);
  expect(await server.status('DELETE', `/v2/app/manifests/${digest}`)).toBe(202);
  for (const reference of ['two', 'three', digest]) {
    expect(await server.status('GET', `/v2/app/manifests/${reference}`)).toBe(404);
    expect(await server.status('DELETE', `/v2/app/manifests/${reference}`)).toBe(404);
  }
  expect(await (await server.call('GET', '/v2/app/tags/list')).json()).toEqual({ name: 'app', tags: [] });
  expect(await server.status('DELETE', `/v2/app/blobs/${config.digest}`)).toBe(202);
  expect(await server.status('HEAD', `/v2/app/blobs/${config.digest}`)).toBe(404);
  expect(await server.status('DELETE', `/v2/app/blobs/${config.digest}`)).toBe(404);
  expect((await server.put('one', document)).status).toBe(400);
});

test('sha512: blobs in every way of uploading, and manifests', async () => {
  await using server = await registry();
  const content = noise(3000, 7);
  const digest = await server.upload(content, 'sha512');
  expect(isDigest(digest)).toBe(true);
  const location = await start(server, '?digest-algorithm=sha512');
  await server.call('PATCH', location, { body: content.subarray(0, 1000) });
  const rest = { body: content.subarray(1000) };
  expect(await server.status('PUT', `${location}?digest=${digest}`, rest)).toBe(201);
  const other = await start(server, '?digest-algorithm=sha512');
  expect(await server.status('PUT', `${other}?digest=sha512:${'0'.repeat(128)}`, { body: content })).toBe(400);
  expect(await server.status('POST', '/v2/app/blobs/uploads/?digest-algorithm=md5')).toBe(400);
  const blob = await server.call('GET', `/v2/app/blobs/${digest}`);
  expect(Buffer.from(await blob.arrayBuffer()).equals(content)).toBe(true);
  // The same content under its other name is another blob.
  expect(await server.status('GET', `/v2/app/blobs/${digestOf(content)}`)).toBe(404);

  const config = await emptyConfig(server);
  const layers = [{ mediaType: 'test/layer', digest, size: 3000 }];
  const text = JSON.stringify({ schemaVersion: 2, mediaType: manifestType, config, layers });
  const name = digestOf(Buffer.from(text), 'sha512');
  const stored = await server.put(name, text);
  expect([stored.status, stored.headers.get('docker-content-digest')]).toEqual([201, name]);
  expect(await (await server.call('GET', `/v2/app/manifests/${name}`)).text()).toBe(text);
  expect((await server.put(`sha512:${'0'.repeat(128)}`, text)).status).toBe(400);
});

test('a registry that does not delete says so', async () => {
  await using folder = await temporaryFolder();
  const storage = createDiskRegistryStorage(folder.path);
  const handler = createRegistryHandler({ storage, authorize: () => Promise.resolve({ allow: true }) });
  const digest = digestOf(Buffer.from('x'));
  for (const path of ['manifests/v1', `manifests/${digest}`, `blobs/${digest}`]) {
    const response = await handler(new Request(`http://registry.test/v2/app/${path}`, { method: 'DELETE' }));
    expect([response.status, await response.json()]).toMatchObject([405, { errors: [{ code: 'UNSUPPORTED' }] }]);
  }
});
