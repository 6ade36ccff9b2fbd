import { join } from 'node:path';
import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import {
  createDiskRegistryStorage,
  createRegistryClient,
  createRegistryHandler,
  type RegistryDecision,
} from '../src/index.ts';
import { serve } from './serve.ts';
import { codeOf, sampleImage, temporaryFolder } from './setup.ts';

const password = 'pa55-word-of-the-user';

/** A registry with a token server beside it, as Docker's protocol has it. */
async function tokenRegistry(folder: string, options: { uses?: number } = {}) {
  const { uses = Number.POSITIVE_INFINITY } = options;
  const storage = createDiskRegistryStorage(folder);
  const asked: URLSearchParams[] = [];
  const left = new Map<string, number>();
  const server = await serve(async (request) => {
    const url = new URL(request.url);
    if (url.pathname === '/token') {
      asked.push(url.searchParams);
      const expected = `Basic ${Buffer.from(`user:${password}`).toString('base64')}`;
      if (request.headers.get('authorization') !== expected) {
        const errors = [{ code: 'UNAUTHORIZED', message: `bad login ${request.headers.get('authorization')}` }];
        return Response.json({ errors }, { status: 401 });
      }
      const token = `token-${asked.length}-of-${url.searchParams.get('scope')}`;
      left.set(token, uses);
      return Response.json({ token, expires_in: 300 });
    }
    return handler(request);
  });
  const challenge = (scope: string) => `Bearer realm="${server.url}/token",service="the registry",scope="${scope}"`;
  const handler = createRegistryHandler({
    storage,
    authorize: ({ action, repository, request }): Promise<RegistryDecision> => {
      const token = request.headers.get('authorization')?.replace('Bearer ', '') ?? '';
      const count = left.get(token) ?? 0;
      left.set(token, count - 1);
      const scope = `repository:${repository}:${action === 'pull' ? 'pull' : 'pull,push'}`;
      const granted = token.endsWith(`-of-${scope}`) || token.endsWith(`:${repository}:pull,push`);
      if (count > 0 && granted) return Promise.resolve({ allow: true });
      const why = { status: 401, code: 'UNAUTHORIZED', message: 'log in first', challenge: challenge(scope) } as const;
      return Promise.resolve({ allow: false, ...why });
    },
  });
  return { ...server, storage, asked };
}

test('the client logs in at the token server that the registry names, once per scope', async () => {
  await using folder = await temporaryFolder();
  const { blobs, image } = await sampleImage(join(folder.path, 'client'));
  await using server = await tokenRegistry(join(folder.path, 'registry'));
  let calls = 0;
  const client = createRegistryClient({
    registry: server.host,
    username: 'user',
    password: () => {
      calls += 1;
      return Promise.resolve(password);
    },
  });
  await client.pushImage(image, { repository: 'app', reference: 'v1', blobs: [blobs] });
  expect((await server.storage.resolve('app', 'v1'))?.digest).toBe(image.manifest.digest);
  const scopes = new Set(server.asked.map((parameters) => parameters.get('scope')));
  expect(scopes).toEqual(new Set(['repository:app:pull,push']));
  expect(server.asked[0]?.get('service')).toBe('the registry');
  expect(server.asked[0]?.get('account')).toBe('user');
  expect(calls).toBe(1);
  await client.resolve('app', 'v1');
  await client.resolve('app', 'v1');
  expect(calls).toBe(2);
});

test('a token that ends in the middle of a push is replaced', async () => {
  await using folder = await temporaryFolder();
  const { blobs, image } = await sampleImage(join(folder.path, 'client'));
  await using server = await tokenRegistry(join(folder.path, 'registry'), { uses: 2 });
  const client = createRegistryClient({ registry: server.host, username: 'user', password });
  await client.pushImage(image, { repository: 'app', reference: 'v1', blobs: [blobs], concurrency: 1 });
  expect((await server.storage.resolve('app', 'v1'))?.digest).toBe(image.manifest.digest);
  expect(server.asked.length).toBeGreaterThan(3);
});

test('a wrong password is one clear error that does not contain it', async () => {
  await using folder = await temporaryFolder();
  await using server = await tokenRegistry(folder.path);
  const secret = 'another-pa55-word';
  const client = createRegistryClient({ registry: server.host, username: 'user', password: secret });
  const error: unknown = await client.resolve('app', 'v1').catch((reason: unknown) => reason);
  expect(error).toMatchObject({ code: 'SP_OCI_UNAUTHORIZED', status: 401, registryCode: 'UNAUTHORIZED' });
  const printed = inspect(error, { depth: 10, showHidden: true }) + JSON.stringify(error);
  expect(printed).not.toContain(secret);
  expect(printed).not.toContain(Buffer.from(`user:${secret}`).toString('base64'));
  expect(printed).toContain('[redacted]');
});

test('a login that a registry repeats is in no error, whatever it is cut from', async () => {
  await using server = await serve((request) => {
    const said = request.headers.get('authorization') ?? '';
    const headers = { 'www-authenticate': 'Basic realm="here"' };
    const errors = [{ code: said, message: `${'x'.repeat(190)}${said}` }];
    return Promise.resolve(Response.json({ errors }, { status: said === '' ? 401 : 403, headers }));
  });
  const client = createRegistryClient({ registry: server.host, username: 'user', password });
  const error: unknown = await client.getManifest('app', 'v1').catch((reason: unknown) => reason);
  expect(error).toMatchObject({ code: 'SP_OCI_DENIED', registryCode: 'Basic [redacted]' });
  expect(inspect(error, { depth: 10 })).not.toContain(Buffer.from('user').toString('base64').slice(0, 4));
});

test('an anonymous client at a registry that wants a login is told so', async () => {
  await using folder = await temporaryFolder();
  await using server = await tokenRegistry(folder.path);
  expect(await codeOf(createRegistryClient({ registry: server.host }).resolve('app', 'v1'))).toBe(
    'SP_OCI_UNAUTHORIZED',
  );
});

test('Basic login is answered with Basic', async () => {
  await using folder = await temporaryFolder();
  const storage = createDiskRegistryStorage(folder.path);
  const expected = `Basic ${Buffer.from(`user:${password}`).toString('base64')}`;
  const refusal = {
    allow: false,
    status: 401,
    code: 'UNAUTHORIZED',
    message: 'no',
    challenge: 'Basic realm="r"',
  } as const;
  const handler = createRegistryHandler({
    storage,
    authorize: ({ request }) =>
      Promise.resolve(request.headers.get('authorization') === expected ? { allow: true } : refusal),
  });
  await using server = await serve(handler);
  const client = createRegistryClient({ registry: server.host, username: 'user', password });
  expect(await client.resolve('app', 'v1')).toBeUndefined();
  const wrong = createRegistryClient({ registry: server.host, username: 'user', password: 'wrong' });
  expect(await codeOf(wrong.resolve('app', 'v1'))).toBe('SP_OCI_UNAUTHORIZED');
});

test('credentials stay with the registry: not to another upload host, not to a token server without TLS', async () => {
  await using folder = await temporaryFolder();
  const { blobs, image } = await sampleImage(folder.path);
  const sent: { host: string; method: string; authorization: string | null }[] = [];
  const client = (challenge: string) =>
    createRegistryClient({
      registry: 'registry.test',
      username: 'user',
      password,
      fetch: (input, init) => {
        const request = new Request(input, init);
        const authorization = request.headers.get('authorization');
        const { host } = new URL(request.url);
        sent.push({ host, method: request.method, authorization });
        if (host === 'registry.test' && authorization === null) {
          return Promise.resolve(new Response(null, { status: 401, headers: { 'www-authenticate': challenge } }));
        }
        if (['GET', 'HEAD'].includes(request.method)) return Promise.resolve(new Response(null, { status: 404 }));
        const headers = { location: 'https://store.test/upload?state=a%2Bb' };
        return Promise.resolve(new Response(null, { status: request.method === 'POST' ? 202 : 201, headers }));
      },
    });
  await client('Basic realm="r"').pushImage(image, { repository: 'app', reference: 'v1', blobs: [blobs] });
  const elsewhere = sent.filter(({ host }) => host !== 'registry.test');
  expect(elsewhere.length).toBe(3);
  expect(elsewhere.every(({ authorization }) => authorization === null)).toBe(true);
  sent.length = 0;
  const plain = client('Bearer realm="http://tokens.test/token"');
  expect(await codeOf(plain.resolve('app', 'v1'))).toBe('SP_OCI_UNAUTHORIZED');
  expect(sent.map(({ host }) => host)).toEqual(['registry.test']);
});

/** A token server that takes no passwords: only OAuth's refresh grant, with a new identity token for each. */
async function identityRegistry(folder: string, options: { readonly rotates?: boolean } = {}) {
  const forms: URLSearchParams[] = [];
  let current = 'planted+identity/token';
  const granted = new Set<string>();
  const server = await serve(async (request) => {
    if (new URL(request.url).pathname === '/token') {
      const form = new URLSearchParams(request.method === 'POST' ? await request.text() : '');
      forms.push(form);
      if (form.get('refresh_token') !== current) {
        const error_description = `no such token ${form.get('refresh_token')}`;
        return Response.json({ errors: [{ code: 'UNAUTHORIZED', message: error_description }] }, { status: 401 });
      }
      const access_token = `access-${forms.length}-${form.get('scope')}`;
      granted.add(access_token);
      if (options.rotates !== true) return Response.json({ access_token, expires_in: 300 });
      current = `planted-next-${forms.length}`;
      return Response.json({ access_token, expires_in: 300, refresh_token: current });
    }
    return handler(request);
  });
  const handler = createRegistryHandler({
    storage: createDiskRegistryStorage(folder),
    authorize: ({ request }): Promise<RegistryDecision> => {
      const token = request.headers.get('authorization')?.replace('Bearer ', '') ?? '';
      if (granted.has(token)) return Promise.resolve({ allow: true });
      const challenge = `Bearer realm="${server.url}/token",service="the registry"`;
      return Promise.resolve({ allow: false, status: 401, code: 'UNAUTHORIZED', message: 'log in', challenge });
    },
  });
  return { ...server, forms };
}

test.each([false, true])(
  'an identity token is exchanged at the token server (a new one each time: %s)',
  async (rotates) => {
    await using folder = await temporaryFolder();
    const { blobs, image } = await sampleImage(join(folder.path, 'client'));
    await using server = await identityRegistry(join(folder.path, 'registry'), { rotates });
    const client = createRegistryClient({ registry: server.host, identityToken: () => 'planted+identity/token' });
    await client.pushImage(image, { repository: 'app', reference: 'v1', blobs: [blobs] });
    expect((await client.resolve('app', 'v1'))?.digest).toBe(image.manifest.digest);
    expect(server.forms.map((form) => form.get('scope'))).toEqual(['repository:app:pull,push', 'repository:app:pull']);
    expect(Object.fromEntries(server.forms[0] ?? [])).toEqual({
      grant_type: 'refresh_token',
      client_id: 'sp-oci',
      refresh_token: 'planted+identity/token',
      service: 'the registry',
      scope: 'repository:app:pull,push',
    });
  },
);

test('an identity token that is refused is in no error', async () => {
  await using folder = await temporaryFolder();
  await using server = await identityRegistry(folder.path);
  const client = createRegistryClient({ registry: server.host, identityToken: 'planted-old', retries: 0 });
  const error = await client.resolve('app', 'v1').catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: 'SP_OCI_UNAUTHORIZED', status: 401 });
  expect(inspect(error, { depth: 9 }) + JSON.stringify({ ...(error as object) })).not.toContain('planted');
});
