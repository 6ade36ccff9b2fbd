import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import { type CloudApiError, createCloudApiClient, isCloudApiError, resolveEnvironment } from '../src/index.ts';
import { json, nobody, serve } from './server.ts';

const failureOf = (promise: Promise<unknown>): Promise<CloudApiError> =>
  promise.then(
    () => expect.fail('expected a failure'),
    (error: unknown) => {
      expect(isCloudApiError(error)).toBe(true);
      return error as CloudApiError;
    },
  );

test('reads an enveloped list, drops unknown members and turns null into absence', async () => {
  const seen: (string | undefined)[] = [];
  const environment = await serve((request, response) => {
    seen.push(request.headers.authorization);
    json(response, 200, { data: [{ id: 'a', name: 'one', fly_app_name: null, hostname: 'one.example', novelty: 1 }] });
  });
  const tenants = await createCloudApiClient({ environment, token: async () => 'secret-token' }).tenants.list();
  expect(tenants).toEqual([
    { id: 'a', name: 'one', hostname: 'one.example', flyAppName: undefined, flyHostname: undefined },
  ]);
  expect(seen).toEqual(['Bearer secret-token']);
});

test('sends snake_case, but leaves the names of secrets alone', async () => {
  const bodies: unknown[] = [];
  const environment = await serve((request, response) => {
    let text = '';
    request.on('data', (chunk) => (text += chunk));
    request.on('end', () => {
      bodies.push(JSON.parse(text));
      if (request.url === '/api/v1/checkout')
        json(response, 200, { checkout_url: 'https://pay.example', transaction_id: 't', checkout_session_id: 's' });
      else response.writeHead(204).end();
    });
  });
  const api = createCloudApiClient({ environment });
  await api.checkout.create({ priceId: 'p', region: 'iad' });
  await api.secrets.set('id', { camelCase: '1', UPPER_CASE: '2' });
  expect(bodies).toEqual([{ price_id: 'p', region: 'iad' }, { secrets: { camelCase: '1', UPPER_CASE: '2' } }]);
});

test.each([
  [401, 'SP_API_UNAUTHORIZED'],
  [403, 'SP_API_FORBIDDEN'],
  [404, 'SP_API_NOT_FOUND'],
  [409, 'SP_API_CONFLICT'],
  [410, 'SP_API_GONE'],
  [422, 'SP_API_REJECTED'],
  [500, 'SP_API_SERVER'],
])("%i becomes %s with the server's code and request id, and without the token", async (status, code) => {
  const environment = await serve((_, response) =>
    json(response, status, { error: { code: 'some_code', message: 'no such thing' } }, { 'x-request-id': 'r1' }),
  );
  const error = await failureOf(
    createCloudApiClient({ environment, token: 'planted-token', retry: 0 }).tenants.get('t'),
  );
  expect(error).toMatchObject({ code, status, serverCode: 'some_code', requestId: 'r1' });
  expect(inspect(error, { depth: 9, showHidden: true })).not.toContain('planted-token');
});

test('asks the token function once more after a 401', async () => {
  const environment = await serve((request, response) =>
    request.headers.authorization === 'Bearer new'
      ? json(response, 200, [])
      : json(response, 401, { error: { code: 'unauthorized', message: 'old' } }),
  );
  const tokens = ['old', 'new', 'unused'];
  expect(await createCloudApiClient({ environment, token: () => tokens.shift() ?? '' }).plans.list()).toEqual([]);
  expect(tokens).toEqual(['unused']);
});

test('repeats an idempotent call after 503, never one that is not', async () => {
  const counts: Record<string, number> = {};
  const environment = await serve((request, response) => {
    const count = (counts[request.method ?? ''] = (counts[request.method ?? ''] ?? 0) + 1);
    if (request.method === 'GET' && count === 2) json(response, 200, []);
    else json(response, 503, {}, { 'retry-after': '0' });
  });
  const api = createCloudApiClient({ environment });
  expect(await api.plans.list()).toEqual([]);
  expect(await failureOf(api.tenants.deploy('t', { image: 'i' }))).toMatchObject({
    code: 'SP_API_SERVER',
    retryable: true,
  });
  expect(counts).toEqual({ GET: 2, POST: 1 });
});

test('names what the server answered wrong', async () => {
  const environment = await serve((_, response) => json(response, 200, { data: { status: 7 } }));
  const error = await failureOf(createCloudApiClient({ environment }).tenants.getStatus('t'));
  expect(error).toMatchObject({ code: 'SP_API_INVALID_RESPONSE', status: 200 });
  expect(error.message).toContain('status');
});

test('says that nobody listens, and what was aborted', async () => {
  const api = createCloudApiClient({ environment: await nobody(), retry: 0 });
  expect(await failureOf(api.plans.list())).toMatchObject({
    code: 'SP_API_NETWORK',
    systemCode: 'ECONNREFUSED',
    retryable: true,
  });
  expect(await failureOf(api.plans.list({ signal: AbortSignal.abort() }))).toMatchObject({ code: 'SP_API_ABORTED' });
});

test('gives up on a silent server after the timeout', async () => {
  const environment = await serve(() => undefined);
  const api = createCloudApiClient({ environment, timeout: 50, retry: 0 });
  expect(await failureOf(api.plans.list())).toMatchObject({ code: 'SP_API_TIMEOUT' });
});

test.each(['', '.', '..'])('refuses %j as an id instead of climbing to another endpoint', async (id) => {
  const api = createCloudApiClient({ environment: 'http://127.0.0.1:9' });
  expect(await failureOf(api.tenants.get(id))).toMatchObject({ code: 'SP_API_INVALID_REQUEST' });
});

test('encodes an id into one path segment', async () => {
  const urls: (string | undefined)[] = [];
  const environment = await serve((request, response) => {
    urls.push(request.url);
    json(response, 404, {});
  });
  await failureOf(createCloudApiClient({ environment }).tenants.get('a/b?c'));
  expect(urls).toEqual(['/api/v1/tenants/a%2Fb%3Fc']);
});

test('follows a one-time link of its own server only', async () => {
  const asked: (string | undefined)[] = [];
  const environment = await serve((request, response) => {
    asked.push(request.url);
    json(response, 200, { jwt_secret: 'j', database_url: 'd', internal_database_url: 'i', app_url: 'a' });
  });
  const api = createCloudApiClient({ environment, token: 't' });
  const path = '/api/v1/tenants/x/credentials/y';
  expect(await api.tenants.getCredentials(`${environment}${path}`)).toMatchObject({ internalDatabaseUrl: 'i' });
  expect(await api.tenants.getCredentials(path)).toMatchObject({ jwtSecret: 'j' });
  expect(await failureOf(api.tenants.getCredentials(`http://127.0.0.1:9${path}`))).toMatchObject({
    code: 'SP_API_FOREIGN_URL',
  });
  expect(asked).toEqual([path, path]);
});

test.each(['ftp://x', 'nonsense', 'https://user@host', '__proto__'])('refuses the environment %s', (environment) => {
  expect(() => resolveEnvironment(environment)).toThrow(expect.objectContaining({ code: 'SP_API_INVALID_REQUEST' }));
});

test('knows the environments by name and keeps a base path', () => {
  expect(resolveEnvironment('sandbox')).toBe('https://api-sandbox.systemprompt.io');
  expect(resolveEnvironment('https://host.example/base/')).toBe('https://host.example/base');
});
