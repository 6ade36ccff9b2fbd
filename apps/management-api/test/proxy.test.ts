import { createServer, request as httpRequest, type IncomingMessage, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { expect, onTestFinished, test } from 'vitest';
import { createTenantProxy, type ProxyTarget, type TenantProxyOptions } from '../src/proxy/tenant-proxy.ts';
import { serveHandler } from './serve.ts';

/** A tenant's machine: a plain server. */
async function startTenant(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** The proxy behind a real socket, and a way to ask it for any host. */
async function startProxy(
  resolve: (host: string) => ProxyTarget | undefined,
  around: Pick<TenantProxyOptions, 'protocol' | 'trustedProxyHeader'> = {},
) {
  const proxy = createTenantProxy({ resolve: async (host) => resolve(host), ...around });
  const server = await serveHandler((request, env) => proxy(request, env));
  onTestFinished(() => server[Symbol.asyncDispose]());
  const open = (path: string, options: { headers?: Record<string, string>; method?: string } = {}) => {
    const { headers = {}, method = 'GET' } = options;
    const all = { host: 'shop-1a2b.localhost:7300', ...headers };
    return httpRequest(`http://${server.host}${path}`, { method, headers: all, agent: false });
  };
  const ask = (path: string, options: { headers?: Record<string, string>; method?: string; body?: string } = {}) =>
    new Promise<{ status: number; headers: IncomingMessage['headers']; body: Buffer }>((done, fail) => {
      const request = open(path, options);
      request.on('error', fail);
      request.on('response', (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', fail);
        response.on('end', () =>
          done({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) }),
        );
      });
      request.end(options.body);
    });
  return { ask, open };
}

test('a request goes to the machine of its host, with where it came from, and the answer comes back whole', async () => {
  const address = await startTenant((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      response.setHeader('set-cookie', ['a=1', 'b=2']);
      response.writeHead(418, 'Short and stout', { 'content-type': 'application/json', location: '/elsewhere' });
      const { method, url, headers } = request;
      response.end(JSON.stringify({ method, url, headers, body: Buffer.concat(chunks).toString() }));
    });
  });
  const hosts: string[] = [];
  const { ask } = await startProxy((host) => {
    hosts.push(host);
    return { address };
  });
  const answer = await ask('/a%20b/c?d=e&f', {
    method: 'PATCH',
    body: 'the body',
    headers: {
      host: 'Shop-1A2B.localhost:7300',
      authorization: 'Bearer token',
      connection: 'keep-alive, x-secret-hop',
      'x-secret-hop': 'between us',
      'keep-alive': 'timeout=5',
      te: 'trailers',
      'proxy-authorization': 'Basic eA==',
      'x-forwarded-for': '10.0.0.1',
      'x-forwarded-host': 'evil.example',
      forwarded: 'for=10.0.0.1',
    },
  });
  expect(hosts).toEqual(['shop-1a2b.localhost:7300']);
  expect(answer.status).toBe(418);
  expect(answer.headers['set-cookie']).toEqual(['a=1', 'b=2']);
  expect(answer.headers.location).toBe('/elsewhere');
  const seen = JSON.parse(answer.body.toString()) as { headers: Record<string, string> };
  expect(seen).toMatchObject({ method: 'PATCH', url: '/a%20b/c?d=e&f', body: 'the body' });
  expect(seen.headers).toMatchObject({
    host: 'shop-1a2b.localhost:7300',
    authorization: 'Bearer token',
    'x-forwarded-for': '127.0.0.1',
    'x-forwarded-host': 'shop-1a2b.localhost:7300',
    'x-forwarded-proto': 'http',
  });
  for (const name of ['x-secret-hop', 'keep-alive', 'te', 'proxy-authorization', 'forwarded']) {
    expect(seen.headers).not.toHaveProperty(name);
  }
});

/** A machine that tells the headers and the body of what it was asked. */
const startEcho = (): Promise<string> =>
  startTenant((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      response.end(JSON.stringify({ headers: request.headers, body: Buffer.concat(chunks).toString() }));
    });
  });

test('behind a proxy, a machine hears from it where a request comes from, and of the client nothing about that', async () => {
  const address = await startEcho();
  const { ask } = await startProxy(() => ({ address }), { protocol: 'https', trustedProxyHeader: 'x-edge-ip' });
  const lies = Object.fromEntries(
    [
      'x-real-ip',
      'fly-client-ip',
      'cf-connecting-ip',
      'true-client-ip',
      'x-forwarded-ssl',
      'x-forwarded-port',
      'forwarded',
      'x_forwarded_for',
      'x_real_ip',
      'x_edge_ip',
    ].map((name) => [name, '6.6.6.6']),
  );
  const headers = { ...lies, 'x-edge-ip': '6.6.6.6, 203.0.113.9', 'x-forwarded-proto': 'http', 'x-own': 'kept' };
  const heard = JSON.parse((await ask('/', { headers })).body.toString()) as { headers: Record<string, string> };
  expect(heard.headers).toMatchObject({
    'x-forwarded-for': '203.0.113.9',
    'x-forwarded-proto': 'https',
    'x-forwarded-host': 'shop-1a2b.localhost:7300',
    'x-own': 'kept',
  });
  expect(JSON.stringify(heard)).not.toContain('6.6.6.6');
});

test.for([
  ['a length', { 'content-length': '5' }],
  ['chunks', { 'transfer-encoding': 'chunked' }],
] as const)('a GET with a body of %s has it at the machine, too', async ([, headers]) => {
  const address = await startEcho();
  const { ask } = await startProxy(() => ({ address }));
  const { status, body } = await ask('/search', { headers, body: 'hello' });
  expect({ status, body: (JSON.parse(body.toString()) as { body: string }).body }).toEqual({
    status: 200,
    body: 'hello',
  });
});

test('headers of the connection to the machine end at the proxy', async () => {
  const address = await startTenant((_, response) => {
    response.writeHead(200, {
      connection: 'close, x-hop',
      'x-hop': 'no',
      'x-end': 'yes',
      'proxy-authenticate': 'Basic',
    });
    response.end('x');
  });
  const { ask } = await startProxy(() => ({ address }));
  const { headers } = await ask('/');
  expect(headers).toMatchObject({ 'x-end': 'yes' });
  expect(headers).not.toHaveProperty('x-hop');
  expect(headers).not.toHaveProperty('proxy-authenticate');
});

test('an answer is passed on as it comes, not when it is complete', async () => {
  let finish = (): void => {};
  const address = await startTenant((_, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write('data: first\n\n');
    finish = () => response.end('data: last\n\n');
  });
  const { open } = await startProxy(() => ({ address }));
  const text = await new Promise<string>((done, fail) => {
    const request = open('/events');
    request.on('error', fail);
    request.on('response', (response) => {
      let seen = '';
      response.on('data', (chunk: Buffer) => {
        seen += chunk.toString();
        // The machine goes on only when the first part has arrived: a proxy that waits for the end waits for ever.
        if (seen === 'data: first\n\n') finish();
      });
      response.on('end', () => done(seen));
    });
    request.end();
  });
  expect(text).toBe('data: first\n\ndata: last\n\n');
});

test('a request body is passed on as it comes, too', async () => {
  const address = await startTenant((request, response) => {
    response.writeHead(200);
    // Echo each part at once.
    request.on('data', (chunk: Buffer) => response.write(chunk));
    request.on('end', () => response.end());
  });
  const { open } = await startProxy(() => ({ address }));
  const text = await new Promise<string>((done, fail) => {
    const request = open('/echo', { method: 'POST' });
    request.on('error', fail);
    request.on('response', (response) => {
      let seen = '';
      response.on('data', (chunk: Buffer) => {
        seen += chunk.toString();
        if (seen === 'one') request.end('two');
      });
      response.on('end', () => done(seen));
    });
    request.write('one');
  });
  expect(text).toBe('onetwo');
});

test('a large body arrives whole in both directions', async () => {
  const address = await startTenant((request, response) => {
    response.writeHead(200);
    request.pipe(response);
  });
  const { ask } = await startProxy(() => ({ address }));
  const body = 'x'.repeat(3_000_000);
  const answer = await ask('/', { method: 'PUT', body });
  expect(answer.body.length).toBe(body.length);
});

test('a compressed answer stays as it is', async () => {
  const zipped = gzipSync('hello');
  const address = await startTenant((request, response) => {
    expect(request.headers['accept-encoding']).toBe('gzip');
    response.writeHead(200, { 'content-encoding': 'gzip', 'content-length': String(zipped.length) });
    response.end(zipped);
  });
  const { ask } = await startProxy(() => ({ address }));
  const answer = await ask('/', { headers: { 'accept-encoding': 'gzip' } });
  expect(answer.headers['content-encoding']).toBe('gzip');
  expect(answer.body.equals(zipped)).toBe(true);
});

test.for(['HEAD', 'DELETE', 'OPTIONS'])('%s works', async (method) => {
  const address = await startTenant((request, response) => {
    response.writeHead(method === 'DELETE' ? 204 : 200, { 'x-method': request.method });
    response.end();
  });
  const { ask } = await startProxy(() => ({ address }));
  const answer = await ask('/', { method });
  expect(answer.headers['x-method']).toBe(method);
  expect(answer.body.length).toBe(0);
});

test('a client that goes away ends the request at the machine', async () => {
  let gone = (): void => {};
  const ended = new Promise<void>((resolve) => {
    gone = resolve;
  });
  const address = await startTenant((_, response) => {
    response.on('close', gone);
    response.write('begin');
  });
  const { open } = await startProxy(() => ({ address }));
  const request = open('/');
  request.on('error', () => {});
  request.on('response', (response) => {
    response.on('error', () => {});
    response.once('data', () => request.destroy());
  });
  request.end();
  await ended;
});

test('a machine that is down is a page that names the host and nothing else', async () => {
  const { ask } = await startProxy(() => ({ address: '127.0.0.1:1' }));
  const page = await ask('/', { headers: { accept: 'text/html,*/*' } });
  expect(page.status).toBe(502);
  expect(page.headers['content-type']).toMatch(/^text\/html/);
  expect(page.body.toString()).toContain('shop-1a2b.localhost:7300');
  expect(page.body.toString()).not.toMatch(/127\.0\.0\.1|ECONN|node:/);
  const json = await ask('/api');
  expect(json.status).toBe(502);
  expect(JSON.parse(json.body.toString())).toMatchObject({ error: { code: 'tenant_unreachable' } });
});

test('an answer that breaks off breaks off at the client, too', async () => {
  const address = await startTenant((_, response) => {
    response.writeHead(200, { 'content-length': '1000' });
    response.write('begin', () => response.destroy());
  });
  const { ask } = await startProxy(() => ({ address }));
  await expect(ask('/')).rejects.toThrow();
});

test('a tenant without a machine is 503, an unknown host is 404', async () => {
  const { ask } = await startProxy((host) => (host.startsWith('shop') ? { state: 'awaiting_deploy' } : undefined));
  const waiting = await ask('/');
  expect(waiting.status).toBe(503);
  expect(waiting.headers['retry-after']).toBe('2');
  expect(waiting.body.toString()).toContain('nothing was deployed');
  const headers = { host: 'nobody.localhost:7300', accept: 'text/html' };
  expect((await ask('/', { headers })).status).toBe(404);
});

test('a host cannot write into the page', async () => {
  const proxy = createTenantProxy({ resolve: async () => undefined });
  const headers = { host: '<script>alert(1)</script>', accept: 'text/html' };
  const page = await proxy(new Request('http://127.0.0.1/', { headers }));
  expect(await page.text()).not.toContain('<script>');
});
