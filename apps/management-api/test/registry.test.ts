import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  buildImage,
  buildLayer,
  createBlobStore,
  createRegistryClient,
  type Digest,
  digestOf,
  type OciImage,
} from '@sp/oci';
import { execa } from 'execa';
import { expect, type TestContext, test } from 'vitest';
import { createImages, type Images, type ImagesOptions } from '../src/images/registry.ts';
import { readRunnableImage } from '../src/images/runnable-image.ts';
import { storageRepository } from '../src/images/tenant-repository.ts';
import { detectDocker } from '../src/machines/detect.ts';
import { serveHandler } from './serve.ts';

interface Fixture {
  readonly images: Images;
  readonly host: string;
  readonly directory: string;
  /** Moves the registry's clock. */
  advance(milliseconds: number): void;
}

async function start(context: TestContext, options: Partial<ImagesOptions> = {}): Promise<Fixture> {
  const directory = await mkdtemp(join(tmpdir(), 'sp-images-'));
  let images: Images | undefined;
  let ahead = 0;
  const server = await serveHandler(async (request) => images?.fetch(request) ?? new Response(null, { status: 503 }));
  context.onTestFinished(async () => {
    await server[Symbol.asyncDispose]();
    await rm(directory, { recursive: true, force: true });
  });
  const { host } = server;
  images = createImages({
    directory: join(directory, 'registry'),
    registry: host,
    secret: randomBytes(32),
    now: () => Date.now() + ahead,
    ...options,
  });
  context.onTestFinished(() => images?.close());
  return { images, host, directory, advance: (milliseconds) => void (ahead += milliseconds) };
}

async function makeImage(
  directory: string,
  text: string,
): Promise<{ image: OciImage; blobs: ReturnType<typeof createBlobStore> }> {
  const blobs = createBlobStore(join(directory, 'built'));
  const layer = await buildLayer([{ type: 'bytes', path: 'app/text', content: Buffer.from(text) }], { blobs });
  const config = { os: 'linux', architecture: 'amd64', cmd: ['/app/text'] };
  return { image: await buildImage({ layers: [layer], config, blobs }), blobs };
}

async function clientOf({ images }: Fixture, tenantId: string) {
  const login = await images.issueToken(tenantId);
  return { login, client: createRegistryClient({ ...login, password: login.token, retries: 0 }) };
}

async function push(fixture: Fixture, tenantId: string, text: string): Promise<OciImage> {
  const { login, client } = await clientOf(fixture, tenantId);
  const { image, blobs } = await makeImage(fixture.directory, text);
  await client.pushImage(image, { repository: login.repository, reference: login.tag, blobs: [blobs] });
  return image;
}

test('a tenant pushes to its own tag and the server sees what it stands for', async (context) => {
  const fixture = await start(context);
  const { images, host } = fixture;
  const tenantId = randomUUID();
  expect(await images.resolve(tenantId)).toBeUndefined();
  const login = await images.issueToken(tenantId);
  expect(login).toMatchObject({ registry: host, repository: 'systemprompt-images', tag: `tenant-${tenantId}` });
  expect(images.expectedImage(tenantId)).toBe(`${login.registry}/${login.repository}:${login.tag}`);
  const image = await push(fixture, tenantId, 'mine');
  expect(await images.resolve(tenantId)).toEqual({ digest: image.manifest.digest });
  const { client } = await clientOf(fixture, tenantId);
  const found = await client.getManifest('systemprompt-images', `tenant-${tenantId}`);
  expect(Buffer.from(found.bytes)).toEqual(Buffer.from(image.manifestBytes));
});

test("another tenant's tag is refused, and does not move", async (context) => {
  const fixture = await start(context);
  const [victim, thief] = [randomUUID(), randomUUID()];
  const before = await push(fixture, victim, 'before');
  const { client } = await clientOf(fixture, thief);
  const { image, blobs } = await makeImage(fixture.directory, 'after');
  const target = { repository: 'systemprompt-images', reference: `tenant-${victim}`, blobs: [blobs] };
  await expect(client.pushImage(image, target)).rejects.toMatchObject({ code: 'SP_OCI_DENIED', status: 403 });
  expect(await fixture.images.resolve(victim)).toEqual({ digest: before.manifest.digest });
  expect(await fixture.images.resolve(thief)).toBeUndefined();
  await expect(client.getManifest('systemprompt-images', `tenant-${victim}`)).rejects.toMatchObject({ status: 403 });
  const latest = { ...target, reference: 'latest' };
  await expect(client.pushImage(image, latest)).rejects.toMatchObject({ status: 403 });
});

test('the tenants that have images are listed until these are removed', async (context) => {
  const fixture = await start(context);
  const { images } = fixture;
  const tenants = [randomUUID(), randomUUID()].sort();
  expect(await images.listTenants()).toEqual([]);
  for (const tenantId of tenants) await push(fixture, tenantId, 'same');
  expect(await images.listTenants()).toEqual(tenants);
  await images.remove(tenants[0] ?? '');
  expect(await images.listTenants()).toEqual(tenants.slice(1));
});

test("another tenant's content cannot be read by its digest, nor its repository by its name", async (context) => {
  const fixture = await start(context);
  const [victim, thief] = [randomUUID(), randomUUID()];
  const image = await push(fixture, victim, 'private');
  await push(fixture, thief, 'own');
  const { client } = await clientOf(fixture, thief);
  const own = 'systemprompt-images';
  expect(await client.resolve(own, image.manifest.digest)).toBeUndefined();
  for (const { digest } of [image.config, ...image.layers]) {
    await expect(client.getBlob(own, digest)).rejects.toMatchObject({ status: 404 });
  }
  const inner = `systemprompt-images/tenant-${victim}`;
  await expect(client.getManifest(inner, `tenant-${victim}`)).rejects.toMatchObject({ code: 'SP_OCI_DENIED' });
  await expect(client.getManifest('library/node', 'latest')).rejects.toMatchObject({ code: 'SP_OCI_DENIED' });
  // Mounting what one does not have starts an upload instead.
  const bearer = await bearerOf(fixture, thief, 'repository:systemprompt-images:pull,push');
  const mount = `/v2/${own}/blobs/uploads/?mount=${image.config.digest}&from=${inner}`;
  const answer = await fetch(`http://${fixture.host}${mount}`, { method: 'POST', headers: { authorization: bearer } });
  expect(answer.status).toBe(202);
  // The list of tags tells of nobody else, and of no inner name.
  const tags = await fetch(`http://${fixture.host}/v2/${own}/tags/list`, { headers: { authorization: bearer } });
  expect(await tags.json()).toEqual({ name: own, tags: [`tenant-${thief}`] });
});

test("a manifest that calls another tenant's layer its own, to be had elsewhere, is refused and cannot be run", async (context) => {
  const fixture = await start(context);
  const [victim, thief] = [randomUUID(), randomUUID()];
  const theirs = await push(fixture, victim, 'private');
  const own = await push(fixture, thief, 'own');
  const [layer] = theirs.layers;
  if (layer === undefined) throw new Error('no layer');
  const mediaType = 'application/vnd.oci.image.manifest.v1+json';
  const stolen = { ...layer, urls: ['https://elsewhere.example/layer'] };
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, config: own.config, layers: [stolen] }));
  const bearer = await bearerOf(fixture, thief, 'repository:systemprompt-images:pull,push');
  const answer = await fetch(`http://${fixture.host}/v2/systemprompt-images/manifests/tenant-${thief}`, {
    method: 'PUT',
    headers: { authorization: bearer, 'content-type': mediaType },
    body: bytes,
  });
  expect(answer.status).toBe(400);
  expect(await answer.json()).toMatchObject({ errors: [{ code: 'MANIFEST_BLOB_UNKNOWN' }] });

  // Also one that came into the storage in another way.
  const { storage } = fixture.images;
  const repository = storageRepository(thief);
  const digest = digestOf(bytes, 'sha256');
  await storage.writeManifest(repository, { bytes, mediaType, tag: undefined, digest });
  const read = (wanted: Digest) => readRunnableImage(storage, { repository, digest: wanted });
  expect(await read(digest)).toEqual({ unusable: expect.stringContaining(`names ${layer.digest}, which is not in`) });
  expect(await read(own.manifest.digest)).toMatchObject({ command: ['/app/text'] });
});

async function bearerOf({ images, host }: Fixture, tenantId: string, scope: string): Promise<string> {
  const { username, token } = await images.issueToken(tenantId);
  const headers = { authorization: `Basic ${btoa(`${username}:${token}`)}` };
  const answer = await fetch(`http://${host}/v2/token?service=${host}&scope=${scope}`, { headers });
  const body = (await answer.json()) as { token: string };
  return `Bearer ${body.token}`;
}

test('the registry says how to log in, and the token endpoint gives no more than asked and allowed', async (context) => {
  const fixture = await start(context);
  const { images, host } = fixture;
  const anonymous = await fetch(`http://${host}/v2/`);
  expect(anonymous.status).toBe(401);
  const realm = `Bearer realm="http://${host}/v2/token",service="${host}"`;
  expect(anonymous.headers.get('www-authenticate')).toBe(realm);
  expect(await anonymous.json()).toMatchObject({ errors: [{ code: 'UNAUTHORIZED' }] });
  const manifest = `http://${host}/v2/systemprompt-images/manifests/tenant-x`;
  expect((await fetch(manifest)).headers.get('www-authenticate')).toBe(
    `${realm},scope="repository:systemprompt-images:pull"`,
  );

  const tenantId = randomUUID();
  const { token } = await images.issueToken(tenantId);
  const headers = { authorization: `Basic ${btoa(`anybody:${token}`)}` };
  const scopes =
    'scope=repository:systemprompt-images:pull,push,delete&scope=repository:other:pull&scope=registry:catalog:*';
  const answer = await fetch(`http://${host}/v2/token?service=${host}&${scopes}`, { headers });
  expect(answer.status).toBe(200);
  expect(answer.headers.get('cache-control')).toBe('no-store');
  const body = (await answer.json()) as { token: string; issued_at: string };
  expect(body).toMatchObject({
    access_token: body.token,
    expires_in: 300,
    issued_at: expect.stringMatching(/^\d{4}-.*Z$/),
  });
  const claims = JSON.parse(Buffer.from(body.token.split('.')[1] ?? '', 'base64url').toString());
  expect(claims.access).toEqual([{ type: 'repository', name: 'systemprompt-images', actions: ['pull', 'push'] }]);
  expect(claims).toMatchObject({ sub: tenantId, sp_tag: `tenant-${tenantId}` });

  for (const credentials of [undefined, 'x:', `x:${token}x`, `x:${body.token}`]) {
    const wrong = credentials === undefined ? {} : { authorization: `Basic ${btoa(credentials)}` };
    const refused = await fetch(`http://${host}/v2/token?service=${host}`, { headers: wrong });
    expect(refused.status).toBe(401);
    expect(refused.headers.get('www-authenticate')).toMatch(/^Basic /);
  }
  // A password is no access token.
  expect((await fetch(`http://${host}/v2/`, { headers: { authorization: `Bearer ${token}` } })).status).toBe(401);
});

test('tokens end: an access token after five minutes, a login after fifteen', async (context) => {
  const fixture = await start(context);
  const tenantId = randomUUID();
  const { client, login } = await clientOf(fixture, tenantId);
  const bearer = await bearerOf(fixture, tenantId, 'repository:systemprompt-images:pull');
  const version = () => fetch(`http://${fixture.host}/v2/`, { headers: { authorization: bearer } });
  expect((await version()).status).toBe(200);
  fixture.advance(5 * 60_000 + 1000);
  expect((await version()).status).toBe(401);
  expect(await client.resolve(login.repository, login.tag)).toBeUndefined();
  fixture.advance(10 * 60_000);
  await expect(client.resolve(login.repository, login.tag)).rejects.toMatchObject({
    code: 'SP_OCI_UNAUTHORIZED',
    status: 401,
  });
});

test('a token for reading cannot write, whether the right was not asked for or not there', async (context) => {
  const fixture = await start(context);
  const tenantId = randomUUID();
  const upload = `http://${fixture.host}/v2/systemprompt-images/blobs/uploads/`;
  const reading = await bearerOf(fixture, tenantId, 'repository:systemprompt-images:pull');
  const first = await fetch(upload, { method: 'POST', headers: { authorization: reading } });
  expect(first.status).toBe(401);
  expect(first.headers.get('www-authenticate')).toContain('scope="repository:systemprompt-images:pull,push"');

  const login = await fixture.images.pullToken(tenantId);
  const client = createRegistryClient({ ...login, password: login.token, retries: 0 });
  const { image, blobs } = await makeImage(fixture.directory, 'x');
  const target = { repository: login.repository, reference: login.tag, blobs: [blobs] };
  await expect(client.pushImage(image, target)).rejects.toMatchObject({ code: 'SP_OCI_DENIED', status: 403 });
});

test('a real docker client logs in, pushes, and is refused elsewhere', async (context) => {
  if (!(await detectDocker()).available) {
    if ((process.env['SP_REQUIRE'] ?? '').includes('docker')) throw new Error('no Docker engine answers');
    context.skip('needs docker');
  }
  const fixture = await start(context);
  const tenantId = randomUUID();
  const { username, token } = await fixture.images.issueToken(tenantId);
  const image = fixture.images.expectedImage(tenantId);
  const foreign = fixture.images.expectedImage(randomUUID());
  const env = { DOCKER_CONFIG: join(fixture.directory, 'docker'), DOCKER_BUILDKIT: '0' };
  const dockerfile = join(fixture.directory, 'Dockerfile');
  await writeFile(dockerfile, 'FROM scratch\nCOPY Dockerfile /app/Dockerfile\nCMD ["/app/Dockerfile"]\n');
  context.onTestFinished(async () => {
    await execa('docker', ['image', 'rm', image, foreign], { reject: false });
  });
  await execa('docker', ['build', '-t', image, '-t', foreign, fixture.directory, '-f', dockerfile], { env });
  await execa('docker', ['login', '-u', username, '--password-stdin', fixture.host], { env, input: token });
  const pushed = await execa('docker', ['push', image], { env });
  const digest = /digest: (sha256:[0-9a-f]{64})/.exec(pushed.stdout)?.[1];
  expect(await fixture.images.resolve(tenantId)).toEqual({ digest });
  const refused = await execa('docker', ['push', foreign], { env, reject: false });
  expect(refused.exitCode).not.toBe(0);
  expect(refused.stderr).toMatch(/denied/);
});

test('what a release needs stays, what was given up goes', async (context) => {
  const deployed: Digest[] = [];
  const fixture = await start(context, { releaseDigests: () => Promise.resolve(deployed) });
  const { images, advance } = fixture;
  const tenantId = randomUUID();
  const [previous, given, current] = [
    await push(fixture, tenantId, 'previous'),
    await push(fixture, tenantId, 'never deployed'),
    await push(fixture, tenantId, 'current'),
  ];
  deployed.push(previous.manifest.digest);
  const bearer = await bearerOf(fixture, tenantId, 'repository:systemprompt-images:pull,push');
  const uploads = `http://${fixture.host}/v2/systemprompt-images/blobs/uploads/`;
  const headers = { authorization: bearer };
  const upload = (await fetch(uploads, { method: 'POST', headers })).headers.get('location') ?? '';
  expect(upload).not.toBe('');

  // Young as all of it is, nothing goes.
  expect(await images.collectGarbage()).toMatchObject({ manifests: 0, contents: 0, uploads: 0 });
  advance(25 * 60 * 60_000);
  const removed = await images.collectGarbage();
  expect(removed).toMatchObject({ manifests: 1, uploads: 1 });
  expect(removed?.contents).toBe(2 + given.layers.length);
  const { client } = await clientOf(fixture, tenantId);
  const own = 'systemprompt-images';
  for (const image of [previous, current]) {
    expect(await client.resolve(own, image.manifest.digest)).toEqual(image.manifest);
    const [layer] = image.layers;
    if (layer === undefined) throw new Error('no layer');
    await (await client.getBlob(own, layer.digest)).cancel();
  }
  expect(await client.resolve(own, given.manifest.digest)).toBeUndefined();
  expect(await images.resolve(tenantId)).toEqual({ digest: current.manifest.digest });
  await expect(client.getBlob(own, given.config.digest)).rejects.toMatchObject({ status: 404 });
});

test('a tenant has only so much room, and content that is refused leaves nothing behind', async (context) => {
  const fixture = await start(context, { maxTenantBytes: 100_000, releaseDigests: () => Promise.resolve([]) });
  const [tenantId, stranger] = [randomUUID(), randomUUID()];
  // Two of them do not fit; nothing makes them smaller.
  const large = () => randomBytes(60_000).toString('base64');
  await push(fixture, tenantId, large());
  await expect(push(fixture, tenantId, large())).rejects.toMatchObject({
    code: 'SP_OCI_DENIED',
    registryCode: 'DENIED',
    message: expect.stringContaining('the images of a tenant may take') as string,
  });
  await push(fixture, stranger, large());
  await push(fixture, tenantId, 'small');

  // A stream of unknown length is measured as it comes.
  const authorization = await bearerOf(fixture, tenantId, 'repository:systemprompt-images:pull,push');
  const uploads = `http://${fixture.host}/v2/systemprompt-images/blobs/uploads/`;
  const begun = await fetch(uploads, { method: 'POST', headers: { authorization } });
  const at = new URL(begun.headers.get('location') ?? '', uploads).href;
  const content = Buffer.from(large());
  const body = new Blob([content]).stream();
  const sent = await fetch(at, { method: 'PATCH', headers: { authorization }, body, duplex: 'half' });
  expect(sent.status).toBe(403);
  expect(await sent.json()).toMatchObject({ errors: [{ code: 'DENIED' }] });
  const finish = () => fetch(`${at}?digest=${digestOf(content)}`, { method: 'PUT', headers: { authorization } });
  expect((await finish()).status).toBe(404);

  // What no release needs makes room, in time.
  fixture.advance(25 * 60 * 60_000);
  await fixture.images.collectGarbage();
  await push(fixture, tenantId, large());
});

test('many uploads at once have no more room than one, and no stream is taken beyond it', async (context) => {
  const fixture = await start(context, { maxTenantBytes: 100_000 });
  const { images, host } = fixture;
  const tenantId = randomUUID();
  const authorization = await bearerOf(fixture, tenantId, 'repository:systemprompt-images:pull,push');
  const uploads = `http://${host}/v2/systemprompt-images/blobs/uploads/`;
  const send = (url: string, method: string, body?: ReadableStream<Uint8Array>) =>
    images.fetch(
      new Request(url, { method, headers: { authorization }, ...(body === undefined ? {} : { body, duplex: 'half' }) }),
    );
  const begin = async () => new URL((await send(uploads, 'POST')).headers.get('location') ?? '', uploads).href;
  /** Nobody says how long it is. */
  const stream = (content: Uint8Array) => new Blob([Buffer.from(content)]).stream();

  const begun = await Promise.all(Array.from({ length: 20 }, begin));
  const contents = begun.map(() => randomBytes(90_000));
  const patched = await Promise.all(
    begun.map((at, index) => send(at, 'PATCH', stream(contents[index] ?? randomBytes(1)))),
  );
  expect(patched.filter(({ status }) => status === 202).length).toBeLessThanOrEqual(1);
  const finished = await Promise.all(
    begun.map((at, index) => send(`${at}?digest=${digestOf(contents[index] ?? randomBytes(1))}`, 'PUT')),
  );
  expect(finished.filter(({ status }) => status === 201).length).toBeLessThanOrEqual(1);
  expect(patched.filter(({ status }) => status === 403).length).toBeGreaterThanOrEqual(19);

  // What is refused leaves its room to others: to 8 of 10,000 bytes at least, whether one of the large ones came through or none did.
  const kept = finished.some(({ status }) => status === 201);
  const small = await Promise.all(Array.from({ length: 20 }, begin));
  const pieces = small.map(() => randomBytes(10_000));
  const answers = await Promise.all(
    small.map((at, index) =>
      send(`${at}?digest=${digestOf(pieces[index] ?? randomBytes(1))}`, 'PUT', stream(pieces[index] ?? randomBytes(1))),
    ),
  );
  const taken = answers.filter(({ status }) => status === 201).length;
  expect(taken).toBeLessThanOrEqual(kept ? 1 : 10);
  expect(taken).toBeGreaterThan(0);

  // One that never ends is not read to its end.
  let read = 0;
  const endless = new ReadableStream<Uint8Array>({
    pull(controller) {
      read += 10_000;
      if (read > 10_000_000) controller.close();
      else controller.enqueue(randomBytes(10_000));
    },
  });
  const other = await bearerOf(fixture, randomUUID(), 'repository:systemprompt-images:pull,push');
  const asOther = { authorization: other };
  const started = await images.fetch(new Request(uploads, { method: 'POST', headers: asOther }));
  const at = new URL(started.headers.get('location') ?? '', uploads).href;
  const refused = await images.fetch(
    new Request(at, { method: 'PATCH', headers: asOther, body: endless, duplex: 'half' }),
  );
  expect([refused.status, await refused.json()]).toEqual([
    403,
    { errors: [{ code: 'DENIED', message: expect.stringContaining('the images of a tenant may take') as string }] },
  ]);
  expect(read).toBeLessThan(1_000_000);
  expect((await images.fetch(new Request(at, { headers: asOther }))).status).toBe(404);
});

test('what another process took in meanwhile is found before an upload is kept', async (context) => {
  const secret = randomBytes(32);
  const first = await start(context, { secret, maxTenantBytes: 100_000 });
  const second = createImages({
    directory: join(first.directory, 'registry'),
    registry: first.host,
    secret,
    maxTenantBytes: 100_000,
  });
  context.onTestFinished(() => second.close());
  const tenantId = randomUUID();
  const authorization = await bearerOf(first, tenantId, 'repository:systemprompt-images:pull,push');
  const uploads = `http://${first.host}/v2/systemprompt-images/blobs/uploads/`;
  const send = (images: Images, url: string, init: { method: string; body?: ReadableStream<Uint8Array> }) =>
    images.fetch(new Request(url, { ...init, headers: { authorization }, duplex: 'half' }));
  const begin = async (images: Images) =>
    new URL((await send(images, uploads, { method: 'POST' })).headers.get('location') ?? '', uploads).href;
  const [here, there] = [await begin(first.images), await begin(second)];
  const [mine, theirs] = [randomBytes(60_000), randomBytes(60_000)];
  // The second is asked for its content when it has measured: only then comes that of the first.
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const sent = await send(first.images, here, { method: 'PATCH', body: new Blob([mine]).stream() });
        expect(sent.status).toBe(202);
        controller.enqueue(theirs);
        controller.close();
      },
    },
    { highWaterMark: 0 },
  );
  expect((await send(second, `${there}?digest=${digestOf(theirs)}`, { method: 'PUT', body })).status).toBe(403);
  expect((await send(first.images, `${here}?digest=${digestOf(mine)}`, { method: 'PUT' })).status).toBe(201);
});

test('garbage is collected by itself, and not without knowing the releases', async (context) => {
  const failures: unknown[] = [];
  let known = false;
  const fixture = await start(context, {
    collectEveryMs: 20,
    releaseDigests: () => (known ? Promise.resolve([]) : Promise.reject(new Error('no database'))),
    onCollectFailed: (error) => failures.push(error),
  });
  const tenantId = randomUUID();
  const first = await push(fixture, tenantId, 'first');
  await push(fixture, tenantId, 'second');
  fixture.advance(25 * 60 * 60_000);
  await expect.poll(() => failures.length).toBeGreaterThan(0);
  const { client } = await clientOf(fixture, tenantId);
  expect(await client.resolve('systemprompt-images', first.manifest.digest)).toEqual(first.manifest);
  known = true;
  await expect.poll(() => client.resolve('systemprompt-images', first.manifest.digest)).toBeUndefined();

  const unknown = await start(context);
  await push(unknown, tenantId, 'first');
  await push(unknown, tenantId, 'second');
  unknown.advance(25 * 60 * 60_000);
  expect(await unknown.images.collectGarbage()).toBeUndefined();
  expect(await readdir(join(unknown.directory, 'registry', 'blobs', 'sha256'))).toHaveLength(6);
});

test('a tenant sees what is about its image, and deletes what is its own and no release needs', async (context) => {
  const deployed: Digest[] = [];
  const fixture = await start(context, { releaseDigests: () => Promise.resolve(deployed) });
  const [tenantId, stranger] = [randomUUID(), randomUUID()];
  const image = await push(fixture, tenantId, 'mine');
  const bearer = await bearerOf(fixture, tenantId, 'repository:systemprompt-images:pull,push');
  const call = async (method: string, path: string, init: { body?: string; authorization?: string } = {}) => {
    const headers = { authorization: init.authorization ?? bearer, 'content-type': mediaType };
    const body = init.body === undefined ? {} : { body: init.body };
    return fetch(`http://${fixture.host}/v2/systemprompt-images/${path}`, { method, headers, ...body });
  };
  const mediaType = 'application/vnd.oci.image.manifest.v1+json';
  const { manifest: subject, config } = image;
  const body = JSON.stringify({
    schemaVersion: 2,
    mediaType,
    config,
    layers: [],
    subject,
    artifactType: 'a/signature',
  });
  const digest = digestOf(Buffer.from(body));
  expect((await call('PUT', `manifests/${digest}`, { body })).headers.get('oci-subject')).toBe(subject.digest);
  const referrers = async (authorization = bearer) =>
    ((await (await call('GET', `referrers/${subject.digest}`, { authorization })).json()) as { manifests: object[] })
      .manifests;
  expect(await referrers()).toMatchObject([{ digest, artifactType: 'a/signature' }]);
  const other = await bearerOf(fixture, stranger, 'repository:systemprompt-images:pull,push');
  expect(await referrers(other)).toEqual([]);
  expect((await call('DELETE', `manifests/${digest}`, { authorization: other })).status).toBe(404);
  // A tag in the query is a tag all the same.
  expect((await call('PUT', `manifests/${digest}?tag=tenant-${stranger}`, { body })).status).toBe(403);

  deployed.push(subject.digest);
  const refused = await call('DELETE', `manifests/${subject.digest}`);
  expect([refused.status, await refused.text()]).toEqual([403, expect.stringContaining('a release needs it')]);
  expect((await call('DELETE', `blobs/${config.digest}`)).status).toBe(403);
  expect((await call('DELETE', `manifests/tenant-${stranger}`)).status).toBe(403);
  expect(await fixture.images.resolve(tenantId)).toEqual({ digest: subject.digest });
  expect((await call('DELETE', `manifests/${digest}`)).status).toBe(202);
  expect(await referrers()).toEqual([]);
  expect((await call('DELETE', `manifests/tenant-${tenantId}`)).status).toBe(202);
  expect(await fixture.images.resolve(tenantId)).toBeUndefined();
  expect((await call('GET', `manifests/${subject.digest}`)).status).toBe(200);
});
