import { inspect } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import {
  type CloudApiError,
  createCloudApiClient,
  isCloudApiError,
  type RequestEvent,
  resolveEnvironment,
} from '../src/index.ts';
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

test.each([
  ['said by the server', JSON.stringify({ error: { code: 'c', message: 'no\n\u001b]0;owned\u0007\u202e such' } })],
  ['in the text of something in between', 'no\r\n\u001b]0;owned\u0007 such'],
])('a message is one line without what a terminal would obey, %s', async (_, body) => {
  const environment = await serve((_request, response) => response.writeHead(404).end(body));
  const { message } = await failureOf(createCloudApiClient({ environment }).tenants.get('t'));
  expect(message).toBe('GET /api/v1/tenants/{id} was answered 404: no ]0;owned such');
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

test('repeats a call after 503: with one key where it must not happen twice, never one without a login', async () => {
  const keys: Record<string, (string | undefined)[]> = {};
  const environment = await serve((request, response) => {
    const seen = (keys[`${request.method} ${request.url}`] ??= []);
    seen.push(request.headers['idempotency-key'] as string | undefined);
    if (request.method === 'GET' && seen.length === 2) json(response, 200, []);
    else json(response, 503, {}, { 'retry-after': '0' });
  });
  const api = createCloudApiClient({ environment, token: 't' });
  expect(await api.plans.list()).toEqual([]);
  const failed = { code: 'SP_API_SERVER', retryable: true };
  expect(await failureOf(api.tenants.deploy('t', { image: 'i' }))).toMatchObject(failed);
  expect(await failureOf(api.tenants.restart('t', { idempotencyKey: 'mine' }))).toMatchObject(failed);
  const grant = { grantType: 'refresh_token', refreshToken: 'r' } as const;
  expect(await failureOf(api.auth.createToken(grant))).toMatchObject(failed);
  const deployKeys = keys['POST /api/v1/tenants/t/deploy'] ?? [];
  expect(deployKeys).toEqual([deployKeys[0], deployKeys[0], deployKeys[0]]);
  expect(deployKeys[0]).toMatch(/^[0-9a-f]{32}$/);
  expect(keys).toMatchObject({
    'GET /api/v1/checkout/plans': [undefined, undefined],
    'POST /api/v1/tenants/t/restart': ['mine', 'mine', 'mine'],
    'POST /api/v1/auth/token': [undefined],
  });
  expect(await failureOf(api.tenants.restart('t', { idempotencyKey: 'a b' }))).toMatchObject({
    code: 'SP_API_INVALID_REQUEST',
  });
});

test('comes again for the answer while the first request with its key is still running', async () => {
  let count = 0;
  const environment = await serve((_, response) => {
    count += 1;
    if (count === 1) response.destroy();
    else if (count === 2) json(response, 409, { error: { code: 'idempotency_key_in_use', message: 'wait' } }, now);
    else json(response, 200, { status: 'running' });
  });
  const now = { 'retry-after': '0' };
  const api = createCloudApiClient({ environment, token: 't' });
  expect(await api.tenants.restart('t')).toEqual({ status: 'running', message: undefined });
});

test.each([
  ['seconds', () => '120'],
  ['a date', () => new Date(Date.now() + 120_000).toUTCString()],
])('asks no more when Retry-After in %s is beyond the time that the call has', async (_, value) => {
  let count = 0;
  const environment = await serve((_request, response) => {
    count += 1;
    json(response, 429, { error: { code: 'rate_limited', message: 'later' } }, { 'retry-after': value() });
  });
  expect(await failureOf(createCloudApiClient({ environment }).plans.list())).toMatchObject({
    code: 'SP_API_RATE_LIMITED',
  });
  expect(count).toBe(1);
});

test('an abort between two attempts ends the call, and so does the end of its time', async () => {
  let count = 0;
  const environment = await serve((_, response) => {
    count += 1;
    json(response, 503, {}, { 'retry-after': '20' });
    setTimeout(() => controller.abort(), 20);
  });
  const controller = new AbortController();
  const api = createCloudApiClient({ environment });
  expect(await failureOf(api.plans.list({ signal: controller.signal }))).toMatchObject({ code: 'SP_API_ABORTED' });
  expect(count).toBe(1);
  const unreachable = createCloudApiClient({ environment: await nobody(), timeout: 100, retry: 5 });
  expect(await failureOf(unreachable.plans.list())).toMatchObject({ code: 'SP_API_TIMEOUT' });
});

test('what is sent again asks for the token again, and tells of each attempt', async () => {
  const seen: (string | undefined)[] = [];
  const environment = await serve((request, response) => {
    seen.push(request.headers.authorization);
    if (seen.length === 1) response.destroy();
    else if (seen.length === 2) json(response, 401, {});
    else json(response, 200, []);
  });
  let asked = 0;
  const attempts: number[] = [];
  const api = createCloudApiClient({
    environment,
    token: () => `token-${(asked += 1)}`,
    onRequest: ({ attempt }) => attempts.push(attempt),
  });
  expect(await api.plans.list()).toEqual([]);
  expect(seen).toEqual(['Bearer token-1', 'Bearer token-2', 'Bearer token-3']);
  expect(attempts).toEqual([1, 2, 2]);
});

test('a date that has passed means at once', async () => {
  let count = 0;
  const environment = await serve((_, response) => {
    count += 1;
    if (count === 2) json(response, 200, []);
    else json(response, 503, {}, { 'retry-after': 'Wed, 21 Oct 2015 07:28:00 GMT' });
  });
  expect(await createCloudApiClient({ environment }).plans.list()).toEqual([]);
});

test('tells of each request without its contents, and goes on when the listener throws', async () => {
  const events: RequestEvent[] = [];
  const environment = await serve((_, response) => {
    if (events.length === 0) json(response, 503, {}, { 'retry-after': '0', 'x-request-id': 'r1' });
    else json(response, 200, { data: { status: 'running' } }, { 'x-request-id': 'r2' });
  });
  const api = createCloudApiClient({
    environment,
    token: 'planted-token',
    onRequest: (event) => {
      events.push(event);
      throw new Error('listener');
    },
  });
  await api.tenants.getStatus('planted-id');
  const facts = { method: 'GET', path: '/api/v1/tenants/{id}/status', duration: expect.any(Number) as number };
  expect(events).toEqual([
    { ...facts, attempt: 1, status: 503, requestId: 'r1' },
    { ...facts, attempt: 2, status: 200, requestId: 'r2' },
  ]);
  expect(inspect(events, { depth: 9 })).not.toContain('planted');
  await failureOf(createCloudApiClient({ environment: await nobody(), retry: 0, onRequest: listen }).plans.list());
  function listen(event: RequestEvent): void {
    events.push(event);
  }
  expect(events.at(-1)).toMatchObject({ failure: 'SP_API_NETWORK', attempt: 1 });
});

test("the client's signal stops every call", async () => {
  const controller = new AbortController();
  const environment = await serve(() => controller.abort());
  const api = createCloudApiClient({ environment, signal: controller.signal });
  expect(await failureOf(api.plans.list())).toMatchObject({ code: 'SP_API_ABORTED' });
  expect(await failureOf(api.plans.list())).toMatchObject({ code: 'SP_API_ABORTED' });
});

test('what the token function throws is thrown as it is', async () => {
  const own = new Error('not logged in');
  const token = (): never => {
    throw own;
  };
  await expect(createCloudApiClient({ environment: await nobody(), token }).plans.list()).rejects.toBe(own);
});

test('sends every change of a tenant as the predecessor’s server reads it, and takes any success', async () => {
  const seen: string[] = [];
  const info = { id: 't', name: 'new', database_url: 'd', version: 8 };
  const urls = { internal_database_url: 'i', external_database_url: 'e' };
  const domain = {
    domain: 'a.example',
    status: 'pending',
    verified: false,
    dns_target: 'x.example',
    dns_instructions: { record_type: 'CNAME', host: 'a.example', value: 'x.example', ttl: 60 },
    created_at: null,
  };
  const answers: Record<string, unknown> = {
    'PATCH /api/v1/tenants/t': { data: info },
    'POST /api/v1/tenants/t/restart': { status: 'running' },
    'POST /api/v1/tenants/t/retry-provision': { status: 'provisioning' },
    'PUT /api/v1/tenants/t/external-db-access': {
      data: { tenant_id: 't', external_db_access: true, database_url: 'd' },
    },
    'POST /api/v1/tenants/t/rotate-credentials': { status: 'success', message: 'done', ...urls },
    'POST /api/v1/tenants/t/rotate-sync-token': { data: { sync_token: 's' } },
    'POST /api/v1/tenants/t/subscription/portal-link': { data: { url: 'https://pay.example/p' } },
    'POST /api/v1/tenants/t/custom-domain': { data: domain },
    'GET /api/v1/tenants/t/custom-domain': { data: domain },
  };
  const environment = await serve((request, response) => {
    let text = '';
    request.on('data', (chunk) => (text += chunk));
    request.on('end', () => {
      const route = `${request.method} ${request.url}`;
      const match = request.headers['if-match'];
      seen.push([route, text, ...(match === undefined ? [] : [match])].filter((part) => part !== '').join(' '));
      const body = answers[route];
      if (body === undefined) response.writeHead(200).end('not even JSON');
      else json(response, 200, body);
    });
  });
  const api = createCloudApiClient({ environment, token: 't' });
  expect(await api.tenants.update('t', { name: 'new', memoryMb: 512 }, { ifVersion: 7 })).toMatchObject({ version: 8 });
  expect(await api.tenants.restart('t')).toMatchObject({ status: 'running' });
  expect(await api.tenants.retryProvision('t')).toMatchObject({ status: 'provisioning' });
  expect(await api.tenants.setExternalDbAccess('t', true)).toMatchObject({ externalDbAccess: true });
  expect(await api.tenants.rotateCredentials('t')).toMatchObject({
    internalDatabaseUrl: 'i',
    externalDatabaseUrl: 'e',
  });
  expect(await api.tenants.rotateSyncToken('t')).toEqual({ syncToken: 's' });
  expect(await api.domains.set('t', 'a.example')).toMatchObject({ dnsInstructions: { recordType: 'CNAME', ttl: 60 } });
  expect(await api.domains.get('t')).toMatchObject({ verified: false });
  const timestamp = '2026-01-02T03:04:05+00:00';
  await api.activity.report({ event: 'cloud_login', timestamp, data: { userId: 'u' } });
  await api.domains.delete('t');
  await api.subscription.cancel('t');
  expect(await api.subscription.createPortalLink('t')).toEqual({ url: 'https://pay.example/p' });
  await api.tenants.delete('t');
  expect(seen).toEqual([
    'PATCH /api/v1/tenants/t {"name":"new","memory_mb":512} "7"',
    'POST /api/v1/tenants/t/restart',
    'POST /api/v1/tenants/t/retry-provision',
    'PUT /api/v1/tenants/t/external-db-access {"enabled":true}',
    'POST /api/v1/tenants/t/rotate-credentials',
    'POST /api/v1/tenants/t/rotate-sync-token',
    'POST /api/v1/tenants/t/custom-domain {"domain":"a.example"}',
    'GET /api/v1/tenants/t/custom-domain',
    `POST /api/v1/activity {"event":"cloud_login","timestamp":"${timestamp}","data":{"user_id":"u"}}`,
    'DELETE /api/v1/tenants/t/custom-domain',
    'POST /api/v1/tenants/t/subscription/cancel',
    'POST /api/v1/tenants/t/subscription/portal-link',
    'DELETE /api/v1/tenants/t',
  ]);
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
  for (const link of [`${path}/more`, '/api/v1/tenants/%ff/credentials/y', 'http://']) {
    expect((await failureOf(api.tenants.getCredentials(link))).code, link).toMatch(
      /^SP_API_(INVALID_REQUEST|FOREIGN_URL)$/,
    );
  }
  expect(asked).toEqual([path, path]);
});

test.each(['ftp://x', 'nonsense', 'https://user@host', '__proto__'])('refuses the environment %s', (environment) => {
  expect(() => resolveEnvironment(environment)).toThrow(expect.objectContaining({ code: 'SP_API_INVALID_REQUEST' }));
});

test('knows the environments by name and keeps a base path', () => {
  expect(resolveEnvironment('sandbox')).toBe('https://api-sandbox.systemprompt.io');
  expect(resolveEnvironment('https://host.example/base/')).toBe('https://host.example/base');
});

test.each([301, 302, 307, 308])('a redirect (%i) takes neither secrets nor tokens anywhere', async (status) => {
  let stolen = 0;
  const elsewhere = await serve((_, response) => {
    stolen += 1;
    json(response, 200, { data: [] });
  });
  const environment = await serve((request, response) => {
    response.writeHead(status, { location: elsewhere + (request.url ?? '') }).end();
  });
  const api = createCloudApiClient({ environment, token: 'planted-token' });
  const follow = async (): Promise<void> => {
    for await (const event of api.tenants.events('t')) expect.fail(event.eventType);
  };
  const calls = [
    () => api.tenants.list(),
    () => api.secrets.set('t', { KEY: 'planted' }),
    () => api.auth.createToken({ grantType: 'refresh_token', refreshToken: 'planted' }),
    follow,
  ];
  for (const call of calls) {
    const error = await failureOf(call());
    expect(error).toMatchObject({ code: 'SP_API_INVALID_RESPONSE', status, retryable: false });
    expect(error.message).toMatch(new RegExp(`was redirected to ${elsewhere}, which is not followed$`));
  }
  expect(stolen).toBe(0);
});

test('a token that no header can hold is told as such, and not as a server that is away', async () => {
  for (const token of ['a\nb', 'a€', '\u0000']) {
    const error = await failureOf(createCloudApiClient({ environment: await nobody(), token }).tenants.list());
    expect(error.code).toBe('SP_API_INVALID_REQUEST');
    expect(error.message).toBe('What was given for the header `authorization` has characters that no header can hold');
  }
});

test('a token function that never answers can be timed out and aborted', async () => {
  const never = { environment: await nobody(), token: () => new Promise<string>(() => undefined) };
  const error = await failureOf(createCloudApiClient({ ...never, timeout: 20 }).tenants.list());
  expect(error.code).toBe('SP_API_TIMEOUT');
  const stop = new AbortController();
  const calling = failureOf(createCloudApiClient(never).tenants.list({ signal: stop.signal }));
  stop.abort();
  expect((await calling).code).toBe('SP_API_ABORTED');
  const streaming = new AbortController();
  const { signal } = streaming;
  const next = createCloudApiClient(never).tenants.events('t', { signal })[Symbol.asyncIterator]().next();
  setTimeout(() => streaming.abort(), 20);
  expect((await failureOf(next)).code).toBe('SP_API_ABORTED');
});

test('what the token function throws is thrown by streams too, and at once', async () => {
  const mine = new Error('not logged in');
  const api = createCloudApiClient({ environment: await nobody(), token: () => Promise.reject(mine) });
  await expect(api.tenants.events('t')[Symbol.asyncIterator]().next()).rejects.toBe(mine);
});

test('times longer than a timer can wait are long, not over at once', async () => {
  const environment = await serve((_, response) => json(response, 200, { data: [] }));
  const api = createCloudApiClient({ environment, timeout: Number.MAX_SAFE_INTEGER, retry: 0 });
  expect(await api.tenants.list()).toEqual([]);
});

test('a password in the address is refused, and not repeated', () => {
  for (const address of ['http://me:planted@host', 'http://:planted@host']) {
    expect(() => resolveEnvironment(address)).toThrow(/got one with a user or a password$/);
  }
});

test('an option that does not exist is refused, before a mistyped one sends the token elsewhere', () => {
  const mistyped = { enviroment: 'local', token: 'planted' };
  expect(() => createCloudApiClient(mistyped as object)).toThrow(
    expect.objectContaining({ code: 'SP_API_INVALID_REQUEST', message: 'There is no option `enviroment`' }),
  );
});

test.each([
  [{ timeout: -1 }, '`timeout` must be a number above 0, in milliseconds'],
  [{ timeout: Number.NaN }, '`timeout` must be a number above 0, in milliseconds'],
  [{ retry: { limit: 2 } }, '`retry` must be a whole number from 0'],
  [{ retry: -1 }, '`retry` must be a whole number from 0'],
  [{ token: '' }, '`token` is empty'],
])('options %j, which cannot be meant, are refused', (options, message) => {
  expect(() => createCloudApiClient(options as object)).toThrow(
    expect.objectContaining({ code: 'SP_API_INVALID_REQUEST', message }),
  );
});

test('one signal stops any number of calls and streams, and nobody is warned of a leak', async () => {
  const environment = await serve((request, response) => {
    if (request.url?.endsWith('/events'))
      response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
  });
  const warnings: Error[] = [];
  const note = (warning: Error): void => void warnings.push(warning);
  process.on('warning', note);
  onTestFinished(() => void process.off('warning', note));
  const controller = new AbortController();
  const { signal } = controller;
  const api = createCloudApiClient({ environment, token: 't', signal });
  const calls = Array.from({ length: 12 }, () => api.tenants.list({ signal }));
  const streams = Array.from({ length: 12 }, (_, index) =>
    api.tenants.events(`t${index}`, { signal })[Symbol.asyncIterator]().next(),
  );
  const ends = Promise.allSettled([...calls, ...streams]);
  // Warnings come with the next turn.
  await new Promise((done) => setImmediate(done));
  controller.abort();
  for (const end of await ends) expect(end).toMatchObject({ reason: { code: 'SP_API_ABORTED' } });
  expect(warnings).toEqual([]);
});
