import { once } from 'node:events';
import { connect } from 'node:net';
import { contract, type Endpoint } from '@sp/cloud-api/contract';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { readBytes } from '../src/http/body.ts';
import { baseUrl, type Edge, failure, startEdge } from './edge.ts';
import { serveHandler } from './serve.ts';

const metricsToken = 'metrics-token-of-the-operator';
let edge: Edge;
let token: string;
beforeAll(async () => {
  edge = await startEdge({ metricsToken });
  token = (await edge.login('owner@example.com')).token;
});
afterAll(() => edge.stop());

const linesOf = (text: string): readonly Record<string, unknown>[] =>
  edge.logged.map((line) => JSON.parse(line) as Record<string, unknown>).filter(({ msg }) => msg === text);

test('a client that goes away is no failure of ours: not in the log, not in the metrics, and not in the audit log', async () => {
  const { tenantId } = await edge.buy(token, 'left');
  await edge.store.pool.query(`update tenants set state = 'running' where id = $1`, [tenantId]);
  const waits = vi.fn<() => void>();
  const { workflows } = edge.ports;
  const original = workflows.waitForOperation;
  Object.assign(workflows, {
    waitForOperation: (_: string, { signal }: { signal: AbortSignal }) => {
      waits();
      return new Promise((_done, fail) => {
        signal.addEventListener('abort', () => fail(signal.reason as Error));
      });
    },
  });
  try {
    const client = new AbortController();
    const asked = edge.call(`/api/v1/tenants/${tenantId}/restart`, { method: 'POST', token, signal: client.signal });
    await vi.waitFor(() => expect(waits).toHaveBeenCalled(), { timeout: 90_000 });
    // What a server says when a connection ends is no AbortError.
    client.abort(new Error('Client connection prematurely closed.'));
    expect(await failure(await asked)).toMatchObject({ status: 499, code: 'client_gone' });
  } finally {
    Object.assign(workflows, { waitForOperation: original });
  }
  expect(linesOf('request failed')).toEqual([]);
  const answer = await edge.call(`/api/v1/tenants/${tenantId}/audit-log`, { token });
  const { data } = (await answer.json()) as { data: { action: string; outcome: string; code?: string }[] };
  expect(data.find(({ action }) => action === 'tenants.restart')).toMatchObject({
    outcome: 'unknown',
    code: 'client_gone',
  });
  const metrics = await (await edge.call('/metrics', { headers: { authorization: `Bearer ${metricsToken}` } })).text();
  expect(metrics).not.toMatch(/status="5/);
});

test('HEAD does nothing that is seen of GET only', async () => {
  const { tenantId } = await edge.buy(token, 'head');
  await edge.store.pool.query('update tenants set state = $2 where id = $1', [tenantId, 'awaiting_deploy']);
  const refused: string[] = [];
  const endpoints = Object.entries(contract).flatMap(([resource, verbs]) =>
    Object.entries<Endpoint>(verbs).map(([verb, endpoint]) => ({ name: `${resource}.${verb}`, endpoint })),
  );
  for (const { name, endpoint } of endpoints) {
    const path = endpoint.path
      .replace('{id}', tenantId)
      .replace('{provider}', 'github')
      .replace(/\{\w+\}/g, 'x');
    const response = await edge.call(path, { method: 'HEAD', token });
    expect(await response.text()).toBe('');
    if (response.status !== 405) continue;
    expect(response.headers.get('allow'), name).toContain(endpoint.method);
    refused.push(name);
  }
  const expected = endpoints.filter(({ name, endpoint }) => {
    const isRead = endpoints.some(({ endpoint: other }) => other.path === endpoint.path && other.method === 'GET');
    return !isRead || !endpoint.idempotent || endpoint.kind === 'events' || name === 'auth.getAuthorizeUrl';
  });
  expect(refused).toEqual(expect.arrayContaining(['tenants.getCredentials', 'tenants.events', 'checkout.events']));
  // Of an address that is read too, HEAD is that.
  expect(new Set(refused)).toEqual(
    new Set(
      expected
        .map(({ name }) => name)
        .filter((name) => {
          const { endpoint } = endpoints.find((one) => one.name === name) as { endpoint: Endpoint };
          const reads = endpoints.filter(
            ({ endpoint: other }) => other.path === endpoint.path && other.method === 'GET',
          );
          return reads.every((read) => expected.includes(read));
        }),
    ),
  );
});

test('a one-time link works after a HEAD', async () => {
  const { tenantId } = await edge.buy(token, 'once');
  const before = await edge.call(`/api/v1/tenants/${tenantId}/credentials/nothing`, { method: 'HEAD', token });
  expect([before.status, before.headers.get('allow')]).toEqual([405, 'GET']);
  const callback = await edge.call('/api/v1/auth/oauth/github/callback?state=x&code=y', { method: 'HEAD' });
  expect([callback.status, callback.headers.get('allow')]).toEqual([405, 'GET']);
});

test('an address that answers to other methods says which', async () => {
  const methods = async (method: string, path: string): Promise<[number, string | null]> => {
    const response = await edge.call(path, { method, token });
    return [response.status, response.headers.get('allow')];
  };
  expect(await methods('PUT', '/api/v1/tenants')).toEqual([405, 'GET']);
  expect(await methods('BREW', '/api/v1/tenants/x/secrets')).toEqual([405, 'GET, POST, PUT']);
  expect(await methods('POST', '/api/v1/checkout/plans')).toEqual([405, 'GET']);
  expect(await methods('GET', '/api/v1/webhooks/paddle')).toEqual([405, 'POST']);
  expect(await methods('DELETE', '/healthz')).toEqual([405, 'GET']);
  expect(await methods('PUT', '/api/v1/nothing')).toEqual([404, null]);
  expect(await failure(await edge.call('/device/confirm'))).toMatchObject({ status: 405, code: 'method_not_allowed' });
});

test('log and metrics name the route that answered', async () => {
  edge.logged.length = 0;
  await edge.call('/api/v1/checkout/plans', { token });
  await edge.call('/api/v1/auth/me', { token });
  await edge.call('/nowhere', { token });
  expect(linesOf('request').map(({ route }) => route)).toEqual(['/api/v1/checkout/plans', '/api/v1/auth/me', '/*']);
});

test('a body that is encoded, or holds what the database would refuse or change, is refused', async () => {
  const { tenantId } = await edge.buy(token, 'bodies');
  const path = `/api/v1/tenants/${tenantId}/secrets`;
  const send = (body: string, headers: Record<string, string> = {}): Promise<Response> =>
    Promise.resolve(
      edge.app.fetch(
        new Request(new URL(path, baseUrl), {
          method: 'PUT',
          headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...headers },
          body,
        }),
      ),
    );
  const good = JSON.stringify({ secrets: { A: '\u{1f600}' } });
  expect(await failure(await send(good, { 'content-encoding': 'gzip' }))).toMatchObject({
    status: 415,
    code: 'unsupported_media_type',
  });
  expect((await send(good, { 'content-encoding': 'identity' })).status).toBe(204);
  for (const half of ['\\ud83d', 'x\\ude00y']) {
    expect(await failure(await send(`{"secrets":{"A":"${half}"}}`))).toMatchObject({ status: 400 });
  }
  for (const lost of ['__proto__', '__pr\\u006fto__', 'A\\u0000']) {
    expect(await failure(await send(`{"secrets":{"${lost}":"x","A":"b"}}`)), lost).toMatchObject({ status: 400 });
  }
  // Written out, and whole.
  expect((await send('{"secrets":{"A":"\\ud83d\\ude00"}}')).status).toBe(204);
});

test('an owner keeps as many secrets as one program can be given', async () => {
  const { tenantId } = await edge.buy(token, 'hoarder');
  const put = (secrets: Record<string, string>): Promise<Response> =>
    edge.call(`/api/v1/tenants/${tenantId}/secrets`, { method: 'PUT', token, json: { secrets } });
  const named = (from: number, count: number, value: string): Record<string, string> =>
    Object.fromEntries(Array.from({ length: count }, (_, at) => [`K${from + at}`, value]));
  const refused = async (secrets: Record<string, string>): Promise<string> => {
    const { status, code, message } = await failure(await put(secrets));
    expect([status, code]).toEqual([400, 'invalid_request']);
    return message;
  };
  expect((await put(named(0, 250, 'x'))).status).toBe(204);
  expect(await refused(named(250, 7, 'x'))).toContain('257 secrets; 256');
  expect((await put(named(250, 6, 'x'))).status).toBe(204);
  // One that is there already is no further one.
  expect((await put(named(0, 1, 'é'.repeat(32_768)))).status).toBe(204);
  expect(await refused({ K0: 'é'.repeat(32_769) })).toContain('65538 bytes; 65536');
  expect((await put(named(1, 2, 'x'.repeat(65_536)))).status).toBe(204);
  expect(await refused(named(3, 1, 'x'.repeat(65_536)))).toContain(`${4 * 65_536 + 252} bytes of secrets; 262144`);
  expect((await put(named(3, 1, 'x'.repeat(60_000)))).status).toBe(204);
  const { keys } = (await (await edge.call(`/api/v1/tenants/${tenantId}/secrets`, { token })).json()) as {
    keys: string[];
  };
  expect(keys).toHaveLength(256);
});

test('a body that does not come in time is given up, and its connection with it', async () => {
  const seen: unknown[] = [];
  await using server = await serveHandler(async (request) => {
    const read = await readBytes(request, { timeoutMs: 50 }).catch((error: unknown) => error);
    seen.push(read);
    return new Response('late', { status: 408, headers: { connection: 'close' } });
  });
  const socket = connect({ host: '127.0.0.1', port: Number(server.host.split(':')[1]) });
  socket.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n{');
  let answer = '';
  socket.setEncoding('latin1').on('data', (text: string) => (answer += text));
  await once(socket, 'close');
  expect(answer).toMatch(/^HTTP\/1\.1 408 /);
  expect(seen).toMatchObject([{ status: 408, code: 'body_too_slow' }]);
});
