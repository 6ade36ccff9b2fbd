import { readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import {
  buildImage,
  createBlobStore,
  createDiskRegistryStorage,
  createRegistryClient,
  createRegistryHandler,
  digestOf,
  type ManifestStoredEvent,
  type PushEvent,
  type RegistryAccess,
  type RegistryDecision,
} from '../src/index.ts';
import { listen, serve, unsteady } from './serve.ts';
import { codeOf, collect, noise, sampleImage, temporaryFolder } from './setup.ts';

const anyone = (): Promise<RegistryDecision> => Promise.resolve({ allow: true, account: 'somebody' });

test('push, then pull: everything arrives, and the second push sends nothing', async () => {
  await using folder = await temporaryFolder();
  const { blobs, image, layers } = await sampleImage(join(folder.path, 'client'));
  const storage = createDiskRegistryStorage(join(folder.path, 'registry'));
  const stored: ManifestStoredEvent[] = [];
  const requests: string[] = [];
  const handler = createRegistryHandler({ storage, authorize: anyone, onManifest: (event) => stored.push(event) });
  await using server = await serve((request) => {
    requests.push(request.method);
    return handler(request);
  });
  const client = createRegistryClient({ registry: server.host });
  const events: PushEvent[] = [];
  const target = { repository: 'tenants/app', reference: 'v1', blobs: [blobs] };
  expect(await client.resolve('tenants/app', 'v1')).toBeUndefined();
  const first = await client.pushImage(image, { ...target, onProgress: (event) => events.push(event) });
  const bytes = [image.config, ...image.layers].reduce((sum, { size }) => sum + size, 0);
  expect(first).toEqual({
    digest: image.manifest.digest,
    uploadedBlobs: 3,
    skippedBlobs: 0,
    uploadedBytes: bytes,
  });
  const { digest = image.config.digest, size } = layers[0]?.descriptor ?? {};
  const ofLargest = events.filter((event) => event.digest === digest);
  expect(ofLargest[0]).toEqual({ type: 'blob-started', digest, size, sent: 0 });
  expect(ofLargest.at(-2)).toEqual({ type: 'blob-progress', digest, size, sent: size });
  expect(ofLargest.at(-1)).toEqual({ type: 'blob-completed', digest, size, sent: size });
  expect(stored).toEqual([
    { repository: 'tenants/app', tag: 'v1', digest: image.manifest.digest, account: 'somebody' },
  ]);

  expect(await client.resolve('tenants/app', 'v1')).toEqual(image.manifest);
  const manifest = await client.getManifest('tenants/app', image.manifest.digest);
  expect(Buffer.from(manifest.bytes).equals(image.manifestBytes)).toBe(true);
  expect(digestOf(await collect(await client.getBlob('tenants/app', digest)))).toBe(digest);
  expect(await storage.resolve('tenants/app', 'v1')).toEqual(image.manifest);
  expect((await storage.readManifest('tenants/app', 'v1'))?.descriptor).toEqual(image.manifest);

  requests.length = 0;
  expect(await client.pushImage(image, target)).toMatchObject({ uploadedBlobs: 0, uploadedBytes: 0, skippedBlobs: 3 });
  expect(requests).toEqual(['GET']);
  const other = await client.pushImage(image, { ...target, reference: 'v2' });
  expect(other).toMatchObject({ uploadedBlobs: 0, uploadedBytes: 0, skippedBlobs: 3 });
});

test.each([true, false])(
  'an image that is there already costs one request (the registry knows conditions: %s)',
  async (knows) => {
    await using folder = await temporaryFolder();
    const { blobs, image } = await sampleImage(join(folder.path, 'client'));
    const storage = createDiskRegistryStorage(join(folder.path, 'registry'));
    const handler = createRegistryHandler({ storage, authorize: anyone });
    const answers: string[] = [];
    await using server = await serve(async (request) => {
      if (!knows) request.headers.delete('if-none-match');
      const response = await handler(request);
      answers.push(`${request.method} ${response.status}`);
      return response;
    });
    const target = { repository: 'app', reference: 'v1', blobs: [blobs] };
    await createRegistryClient({ registry: server.host }).pushImage(image, target);
    answers.length = 0;
    const pushed = await createRegistryClient({ registry: server.host }).pushImage(image, target);
    expect(pushed).toEqual({ digest: image.manifest.digest, uploadedBytes: 0, uploadedBlobs: 0, skippedBlobs: 3 });
    expect(answers).toEqual([knows ? 'GET 304' : 'GET 200']);
  },
);

test('a changed image sends only what changed', async () => {
  await using folder = await temporaryFolder();
  const { blobs, layers, image } = await sampleImage(join(folder.path, 'client'));
  const storage = createDiskRegistryStorage(join(folder.path, 'registry'));
  const handler = createRegistryHandler({ storage, authorize: anyone });
  const requests: string[] = [];
  // The handler itself is a `fetch`: no socket needed.
  const client = createRegistryClient({
    registry: 'registry.test',
    fetch: (input, init) => {
      const request = new Request(input, init);
      requests.push(`${request.method} ${new URL(request.url).pathname.replace(/(?<=uploads\/).+/, '')}`);
      return handler(request);
    },
  });
  await client.pushImage(image, { repository: 'app', reference: 'v1', blobs: [blobs] });
  requests.length = 0;
  const config = { architecture: 'amd64', os: 'linux', cmd: ['/other'] };
  const changed = await buildImage({ layers, config, blobs });
  const nothing = createBlobStore(join(folder.path, 'nothing'));
  const target = { repository: 'app', reference: 'v1', blobs: [nothing, blobs] };
  expect(await client.pushImage(changed, target)).toMatchObject({
    uploadedBlobs: 1,
    uploadedBytes: changed.config.size,
    skippedBlobs: 2,
  });
  // What the image before has is there, and its config is another one: nothing else is asked.
  const uploads = '/v2/app/blobs/uploads/';
  const tag = '/v2/app/manifests/v1';
  expect(requests).toEqual([`GET ${tag}`, `POST ${uploads}`, `PUT ${uploads}`, `PUT ${tag}`]);
  expect((await client.resolve('app', 'v1'))?.digest).toBe(changed.manifest.digest);
  expect((await client.resolve('app', image.manifest.digest))?.digest).toBe(image.manifest.digest);
  // Another repository does not see the content, so everything is needed again, and is nowhere.
  const elsewhere = { repository: 'other', reference: 'v1', blobs: [nothing] };
  expect(await codeOf(client.pushImage(image, elsewhere))).toBe('SP_OCI_BLOB_UNKNOWN');
  expect(await codeOf(client.getBlob('other', changed.config.digest))).toBe('SP_OCI_NOT_FOUND');
  expect(await storage.blobs.has(changed.config.digest)).toBe(changed.config.size);
});

test('a layer that the registry lost, though an image has it, is sent again', async () => {
  await using folder = await temporaryFolder();
  const { blobs, layers, image } = await sampleImage(join(folder.path, 'client'));
  const storage = createDiskRegistryStorage(join(folder.path, 'registry'));
  const handler = createRegistryHandler({ storage, authorize: anyone });
  const client = createRegistryClient({
    registry: 'registry.test',
    fetch: (input, init) => handler(new Request(input, init)),
  });
  const target = { repository: 'app', reference: 'v1', blobs: [blobs] };
  await client.pushImage(image, target);
  const [lost = image.config] = image.layers;
  await storage.unlinkBlob('app', lost.digest);
  const changed = await buildImage({ layers, config: { architecture: 'arm64', os: 'linux' }, blobs });
  // Another process: this client remembers what it has sent itself.
  const other = createRegistryClient({
    registry: 'registry.test',
    fetch: (input, init) => handler(new Request(input, init)),
  });
  const pushed = await other.pushImage(changed, target);
  expect(pushed).toEqual({
    digest: changed.manifest.digest,
    uploadedBlobs: 2,
    uploadedBytes: lost.size + changed.config.size,
    skippedBlobs: 1,
  });
  expect((await client.resolve('app', 'v1'))?.digest).toBe(changed.manifest.digest);
});

test('a layer that was sent before there was an image is not asked for again, unless it was cleaned up', async () => {
  onTestFinished(() => void vi.useRealTimers());
  await using folder = await temporaryFolder();
  const { blobs, layers, image } = await sampleImage(join(folder.path, 'client'));
  const storage = createDiskRegistryStorage(join(folder.path, 'registry'));
  const handler = createRegistryHandler({ storage, authorize: anyone });
  const requests: string[] = [];
  const client = createRegistryClient({
    registry: 'registry.test',
    fetch: (input, init) => {
      const request = new Request(input, init);
      requests.push(`${request.method} ${new URL(request.url).pathname}`);
      return handler(request);
    },
  });
  const target = { repository: 'app', blobs: [blobs] };
  const [{ descriptor } = { descriptor: image.config }] = layers;
  expect(await client.pushBlob(descriptor, target)).toEqual({ uploaded: true });
  expect(await client.pushBlob(descriptor, target)).toEqual({ uploaded: false });
  expect(await client.resolve('app', 'v1')).toBeUndefined();
  requests.length = 0;
  const pushed = await client.pushImage(image, { ...target, reference: 'v1' });
  expect(pushed).toMatchObject({ uploadedBlobs: 2, skippedBlobs: 1 });
  expect(requests).not.toContain(`HEAD /v2/app/blobs/${descriptor.digest}`);
  expect(await codeOf(client.pushBlob(descriptor, { ...target, repository: '../x' }))).toBe('SP_OCI_REFERENCE');

  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 11 * 60_000 });
  requests.length = 0;
  await client.pushImage(image, { ...target, reference: 'later' });
  expect(requests).toContain(`HEAD /v2/app/blobs/${descriptor.digest}`);
  vi.useRealTimers();

  await storage.unlinkBlob('app', descriptor.digest);
  const again = await client.pushImage(image, { ...target, reference: 'v2' });
  expect(again).toMatchObject({ uploadedBlobs: 1, uploadedBytes: descriptor.size, skippedBlobs: 2 });
  expect((await client.resolve('app', 'v2'))?.digest).toBe(image.manifest.digest);
  expect(await storage.hasBlob('app', descriptor.digest)).toBe(descriptor.size);
});

test('a refused tag does not move, and the refusal is understood', async () => {
  await using folder = await temporaryFolder();
  const { blobs, image } = await sampleImage(join(folder.path, 'client'));
  const storage = createDiskRegistryStorage(join(folder.path, 'registry'));
  const seen: Omit<RegistryAccess, 'request'>[] = [];
  const authorize = ({ request: _request, ...access }: RegistryAccess): Promise<RegistryDecision> => {
    seen.push(access);
    if (access.action === 'pull' || access.tag === undefined || access.tag === 'mine') return anyone();
    return Promise.resolve({ allow: false, status: 403, code: 'DENIED', message: `not your tag: ${access.tag}` });
  };
  await using server = await serve(createRegistryHandler({ storage, authorize }));
  const client = createRegistryClient({ registry: server.host });
  const target = { repository: 'app', blobs: [blobs] };
  await expect(client.pushImage(image, { ...target, reference: 'theirs' })).rejects.toMatchObject({
    code: 'SP_OCI_DENIED',
    status: 403,
    registry: server.host,
    repository: 'app',
    registryCode: 'DENIED',
    message: expect.stringContaining('not your tag: theirs') as string,
  });
  expect(await storage.resolve('app', 'theirs')).toBeUndefined();
  expect(await storage.resolve('app', image.manifest.digest)).toBeUndefined();
  await client.pushImage(image, { ...target, reference: 'mine' });
  expect((await storage.resolve('app', 'mine'))?.digest).toBe(image.manifest.digest);
  expect(seen).toContainEqual({ action: 'push', repository: 'app', tag: 'theirs' });
  expect(seen).toContainEqual({ action: 'pull', repository: 'app', digest: image.config.digest });
});

test('tags that differ in case are different tags', async () => {
  await using folder = await temporaryFolder();
  const storage = createDiskRegistryStorage(folder.path);
  const write = (text: string, tag: string) =>
    storage.writeManifest('app', { bytes: Buffer.from(text), mediaType: 'text/plain', tag });
  const tags = ['Tenant-a', 'tenant-A', 'tenant-a', 'T'.repeat(128), 'aB'.repeat(64)];
  for (const tag of tags) await write(tag, tag);
  expect(await storage.listTags('app')).toEqual(tags.toSorted());
  for (const tag of tags)
    expect(Buffer.from((await storage.readManifest('app', tag))?.bytes ?? []).toString()).toBe(tag);
  const files = await readdir(join(folder.path, 'repositories', 'app', '_tags'));
  expect(new Set(files.map((file) => file.toLowerCase())).size).toBe(tags.length);
});

test('an upload that is cut off goes on where it was', async () => {
  await using folder = await temporaryFolder();
  const size = 6_000_000;
  const { blobs, image } = await sampleImage(join(folder.path, 'client'), { size });
  const storage = createDiskRegistryStorage(join(folder.path, 'registry'));
  const handler = createRegistryHandler({ storage, authorize: anyone });
  const starts: string[] = [];
  await using server = await serve((request) => {
    if (request.method === 'PATCH') starts.push(request.headers.get('content-range') ?? 'all');
    return handler(request);
  });
  // More often than it is retried: what counts is that something arrives each time.
  await using wire = await unsteady(server.host, { cuts: 8, afterBytes: 600_000 });
  const client = createRegistryClient({ registry: wire.host, retries: 6, retryDelayMilliseconds: 20 });
  const events: PushEvent[] = [];
  const onProgress = (event: PushEvent): void => void (event.size > size && events.push(event));
  const pushed = await client.pushImage(image, { repository: 'app', reference: 'v1', blobs: [blobs], onProgress });
  // A try more when the registry has not seen yet that the connection before is gone.
  expect(starts.length).toBeGreaterThanOrEqual(9);
  expect(starts[0]).toBe('all');
  const blob = image.layers[0]?.size ?? 0;
  for (const range of starts.slice(1)) expect(range).toMatch(new RegExp(`^[1-9][0-9]*-${blob - 1}$`));
  expect(events.at(-1)).toMatchObject({ type: 'blob-completed', sent: blob });
  expect(events.at(-2)).toMatchObject({ type: 'blob-progress', sent: blob });
  expect(pushed.uploadedBlobs).toBe(3);
  expect((await storage.resolve('app', 'v1'))?.digest).toBe(image.manifest.digest);
  expect(await readdir(join(folder.path, 'registry', 'repositories', 'app', '_uploads'))).toEqual([]);
});

test('an upload that the registry forgot starts again, and a failing one ends', async () => {
  await using folder = await temporaryFolder();
  const { blobs, image } = await sampleImage(join(folder.path, 'client'), { size: 3_000_000 });
  const storage = createDiskRegistryStorage(join(folder.path, 'registry'));
  const handler = createRegistryHandler({ storage, authorize: anyone });
  let patches = 0;
  let failing = 1;
  await using server = await serve(async (request) => {
    const { pathname } = new URL(request.url);
    if (request.method !== 'PATCH') return handler(request);
    patches += 1;
    if (patches > failing) return handler(request);
    const id = pathname.split('/').at(-1) ?? '';
    await storage.uploads.delete('app', id);
    return new Response(null, { status: 503 });
  });
  const client = createRegistryClient({ registry: server.host, retries: 2, retryDelayMilliseconds: 1 });
  const target = { repository: 'app', reference: 'v1', blobs: [blobs] };
  await client.pushImage(image, target);
  expect(patches).toBe(2);
  failing = Number.POSITIVE_INFINITY;
  const other = await sampleImage(join(folder.path, 'client'), { size: 3_000_000, seed: 2 });
  await expect(client.pushImage(other.image, target)).rejects.toMatchObject({ code: 'SP_OCI_REGISTRY', status: 503 });
  expect((await storage.resolve('app', 'v1'))?.digest).toBe(image.manifest.digest);
});

test('blobs of another repository are mounted instead of sent, where that is allowed', async () => {
  await using folder = await temporaryFolder();
  const { blobs, image } = await sampleImage(join(folder.path, 'client'));
  const storage = createDiskRegistryStorage(join(folder.path, 'registry'));
  const authorize = ({ repository }: RegistryAccess): Promise<RegistryDecision> =>
    repository === 'secret'
      ? Promise.resolve({ allow: false, status: 403, code: 'DENIED', message: 'not yours' })
      : anyone();
  await using server = await serve(createRegistryHandler({ storage, authorize }));
  const client = createRegistryClient({ registry: server.host });
  const target = { reference: 'v1', blobs: [blobs] };
  await client.pushImage(image, { ...target, repository: 'base' });
  for (const { digest } of [...image.layers, image.config]) await storage.linkBlob('secret', digest);
  const refused = await client.pushImage(image, { ...target, repository: 'one', mountFrom: ['secret', 'nothing'] });
  expect(refused).toMatchObject({ uploadedBlobs: 3, skippedBlobs: 0 });
  const mounted = await client.pushImage(image, { ...target, repository: 'two', mountFrom: ['secret', 'base'] });
  expect(mounted).toMatchObject({ uploadedBlobs: 0, uploadedBytes: 0, skippedBlobs: 3 });
  expect((await storage.resolve('two', 'v1'))?.digest).toBe(image.manifest.digest);
});

test('who may push but not read a manifest, may push', async () => {
  await using folder = await temporaryFolder();
  const { blobs, image } = await sampleImage(join(folder.path, 'client'));
  const storage = createDiskRegistryStorage(join(folder.path, 'registry'));
  const handler = createRegistryHandler({ storage, authorize: anyone });
  for (const status of [403, 500]) {
    await using server = await serve(async (request) => {
      const isAsked = ['GET', 'HEAD'].includes(request.method) && request.url.includes('/manifests/');
      return isAsked ? new Response(null, { status }) : handler(request);
    });
    const client = createRegistryClient({ registry: server.host, retryDelayMilliseconds: 1 });
    const reference = `v${status}`;
    const pushed = await client.pushImage(image, { repository: 'app', reference, blobs: [blobs] });
    expect(pushed.digest).toBe(image.manifest.digest);
    expect((await storage.resolve('app', reference))?.digest).toBe(image.manifest.digest);
  }
});

test('redirects are followed, and the other host does not see the login', async () => {
  await using folder = await temporaryFolder();
  const { blobs, image, layers } = await sampleImage(join(folder.path, 'client'));
  const storage = createDiskRegistryStorage(join(folder.path, 'registry'));
  const handler = createRegistryHandler({ storage, authorize: anyone });
  const logins: (string | null)[] = [];
  await using store = await serve((request) => {
    logins.push(request.headers.get('authorization'));
    return handler(request);
  });
  let to = (path: string) => `${store.url}${path}`;
  await using server = await serve(async (request) => {
    const { pathname, search } = new URL(request.url);
    if (request.headers.get('authorization') === null) {
      return new Response(null, { status: 401, headers: { 'www-authenticate': 'Basic realm="x"' } });
    }
    const moved = /\/blobs\/(?:sha256|uploads\/.)/.test(pathname) && request.method !== 'HEAD';
    return moved ? new Response(null, { status: 307, headers: { location: to(pathname + search) } }) : handler(request);
  });
  const options = { registry: server.host, username: 'me', password: 'pa55', retries: 0 };
  const client = createRegistryClient(options);
  await client.pushImage(image, { repository: 'app', reference: 'v1', blobs: [blobs] });
  const digest = layers[0]?.descriptor.digest ?? image.config.digest;
  expect(digestOf(await collect(await client.getBlob('app', digest)))).toBe(digest);
  expect(new Set(logins)).toEqual(new Set([null]));
  expect(logins.length).toBeGreaterThan(1);
  // Round and round, or to where nobody listens.
  to = (path) => `${server.url}${path}`;
  await expect(client.getBlob('app', digest)).rejects.toMatchObject({ code: 'SP_OCI_REGISTRY', status: 307 });
  to = () => 'file:///etc/passwd';
  await expect(client.getBlob('app', digest)).rejects.toMatchObject({ code: 'SP_OCI_REGISTRY', status: 307 });
});

test('an upload that is refused before it is read is that refusal, not a broken connection', async () => {
  await using folder = await temporaryFolder();
  const { blobs, image } = await sampleImage(join(folder.path, 'client'), { size: 20_000_000 });
  const storage = createDiskRegistryStorage(join(folder.path, 'registry'));
  const handler = createRegistryHandler({ storage, authorize: anyone, maxBlobBytes: 1_000_000 });
  await using server = await serve(handler);
  const client = createRegistryClient({ registry: server.host, retryDelayMilliseconds: 1 });
  await expect(client.pushImage(image, { repository: 'app', reference: 'v1', blobs: [blobs] })).rejects.toMatchObject({
    code: 'SP_OCI_REGISTRY',
    status: 413,
    registryCode: 'SIZE_INVALID',
  });
  // The connections are not left in the middle of anything.
  expect(await client.resolve('app', 'v1')).toBeUndefined();
});

test('a registry that asks to wait is waited for', async () => {
  let requests = 0;
  await using server = await listen((_request, response) => {
    requests += 1;
    if (requests < 3) response.writeHead(429, { 'retry-after': new Date(Date.now() - 5000).toUTCString() }).end();
    else response.writeHead(404).end();
  });
  const client = createRegistryClient({ registry: server.host, retryDelayMilliseconds: 1_000_000 });
  expect(await client.resolve('app', 'v1')).toBeUndefined();
  expect(requests).toBe(3);
});

test.each(['never answers', 'stops in the middle of an answer', 'takes nothing'])(
  'a registry that %s is a network error after a silence',
  async (how) => {
    await using folder = await temporaryFolder();
    const { blobs, image } = await sampleImage(join(folder.path, 'client'), { size: 30_000_000 });
    await using server = await listen((request, response) => {
      if (how === 'never answers') return;
      if (how === 'takes nothing' && /^P(?:ATCH|UT)$/.test(request.method ?? '')) return;
      if (how === 'takes nothing') {
        request.resume();
        response.writeHead(request.method === 'POST' ? 202 : 404, { location: '/v2/app/blobs/uploads/1' }).end();
        return;
      }
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' });
      response.write('{');
    });
    for (const fetch of [undefined, globalThis.fetch]) {
      const client = createRegistryClient({ registry: server.host, retries: 0, idleTimeoutMilliseconds: 100, fetch });
      const work =
        how === 'takes nothing'
          ? client.pushImage(image, { repository: 'app', reference: 'v1', blobs: [blobs] })
          : client.getManifest('app', 'v1');
      await expect(work).rejects.toMatchObject({ code: 'SP_OCI_NETWORK', retryable: true, registry: server.host });
    }
  },
);

test('content that was damaged on this disk is found when the registry refuses it, and is made again', async () => {
  await using folder = await temporaryFolder();
  const { blobs, image, layers } = await sampleImage(join(folder.path, 'client'));
  const storage = createDiskRegistryStorage(join(folder.path, 'registry'));
  await using server = await serve(createRegistryHandler({ storage, authorize: anyone }));
  const client = createRegistryClient({ registry: server.host });
  const { digest, size } = layers[0]?.descriptor ?? image.config;
  await writeFile(blobs.path(digest), noise(size, 77));
  const push = () => client.pushImage(image, { repository: 'app', reference: 'v1', blobs: [blobs] });
  await expect(push()).rejects.toMatchObject({ code: 'SP_OCI_DIGEST_MISMATCH', digest });
  expect(await storage.resolve('app', 'v1')).toBeUndefined();
  expect(await blobs.has(digest)).toBeUndefined();
  await sampleImage(join(folder.path, 'client'));
  await push();
  expect((await storage.resolve('app', 'v1'))?.digest).toBe(image.manifest.digest);
});

test('a registry in trouble is asked again, but not for ever', async () => {
  let requests = 0;
  await using server = await listen((_request, response) => {
    requests += 1;
    response.writeHead(503, { 'retry-after': '0' }).end();
  });
  const client = createRegistryClient({ registry: server.host, retries: 2, retryDelayMilliseconds: 1 });
  await expect(client.resolve('app', 'v1')).rejects.toMatchObject({
    code: 'SP_OCI_REGISTRY',
    status: 503,
    retryable: true,
  });
  expect(requests).toBe(3);
});

test('a registry that is not there is a network error with the system error as its cause', async () => {
  const server = await listen(() => {});
  await server[Symbol.asyncDispose]();
  const client = createRegistryClient({ registry: server.host, retries: 0 });
  await expect(client.resolve('app', 'v1')).rejects.toMatchObject({
    code: 'SP_OCI_NETWORK',
    registry: server.host,
    cause: { code: 'ECONNREFUSED' },
  });
});

test('content that is not what its digest says is refused by the client', async () => {
  const wrong = digestOf(Buffer.from('right'));
  await using server = await serve(() =>
    Promise.resolve(
      new Response('wrong', {
        headers: { 'docker-content-digest': wrong, 'content-type': 'application/vnd.oci.image.manifest.v1+json' },
      }),
    ),
  );
  const client = createRegistryClient({ registry: server.host });
  expect(await codeOf(client.getManifest('app', 'v1'))).toBe('SP_OCI_DIGEST_MISMATCH');
  expect(await codeOf(client.getManifest('app', wrong))).toBe('SP_OCI_DIGEST_MISMATCH');
  expect(await codeOf(collect(await client.getBlob('app', wrong)))).toBe('SP_OCI_DIGEST_MISMATCH');
});

test('a push can be cancelled while a blob is on its way', async () => {
  await using folder = await temporaryFolder();
  const { blobs, image } = await sampleImage(join(folder.path, 'client'), { size: 3_000_000 });
  const storage = createDiskRegistryStorage(join(folder.path, 'registry'));
  await using server = await serve(createRegistryHandler({ storage, authorize: anyone }));
  const controller = new AbortController();
  const client = createRegistryClient({ registry: server.host });
  const push = client.pushImage(image, {
    repository: 'app',
    reference: 'v1',
    blobs: [blobs],
    signal: controller.signal,
    onProgress: ({ type, size }) => {
      if (type === 'blob-progress' && size > 1_000_000) controller.abort(new Error('enough'));
    },
  });
  await expect(push).rejects.toThrow('enough');
  expect(await storage.resolve('app', 'v1')).toBeUndefined();
});

test('what reads and writes is checked by name before anything is sent', async () => {
  await using folder = await temporaryFolder();
  const storage = createDiskRegistryStorage(folder.path);
  const client = createRegistryClient({ registry: 'registry.test', fetch: () => Promise.reject(new Error('sent')) });
  expect(await codeOf(client.resolve('../etc', 'v1'))).toBe('SP_OCI_REFERENCE');
  expect(await codeOf(client.getManifest('app', 'a/b'))).toBe('SP_OCI_REFERENCE');
  expect(await codeOf(storage.resolve('../../etc', 'passwd'))).toBe('SP_OCI_REFERENCE');
  expect(() => createRegistryClient({ registry: 'evil.test/path@' })).toThrow(
    expect.objectContaining({ code: 'SP_OCI_REFERENCE' }),
  );
});

test('a disk that fails rejects, for the server around the handler to report', async () => {
  await using folder = await temporaryFolder();
  const storage = createDiskRegistryStorage(join(folder.path, 'registry'));
  const handler = createRegistryHandler({ storage, authorize: anyone });
  await storage.blobs.write(noise(10, 1));
  const start = () => handler(new Request('http://registry.test/v2/app/blobs/uploads/', { method: 'POST' }));
  const location = (await start()).headers.get('location');
  await rm(join(folder.path, 'registry', 'blobs'), { recursive: true });
  await createBlobStore(folder.path).write(noise(10, 1));
  await symlink('/dev/null', join(folder.path, 'registry', 'blobs'));
  const url = `http://registry.test${location}?digest=${digestOf(Buffer.from('x'))}`;
  await expect(handler(new Request(url, { method: 'PUT', body: 'x' }))).rejects.toMatchObject({
    code: 'SP_OCI_STORAGE',
  });
});
