import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, onTestFinished, test, vi } from 'vitest';
import { acceptUpgrades } from '../src/proxy/accept-upgrades.ts';
import type { ProxyTarget } from '../src/proxy/tenant-proxy.ts';
import { createTenantTunnel } from '../src/proxy/tenant-tunnel.ts';

const guid = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const accept = (key: string): string =>
  createHash('sha1')
    .update(key + guid)
    .digest('base64');

interface Handshake {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
}

/** A server on a free port; with `greeting` one that speaks WebSocket: it says that at once, and then repeats what it hears. */
async function startServer(
  listener: RequestListener,
  greeting?: { readonly text: Buffer; readonly onHandshake: (handshake: Handshake) => void },
) {
  const server = createServer(listener);
  if (greeting !== undefined) {
    server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      greeting.onHandshake({ request, socket });
      socket.on('error', () => {});
      const answer = [
        'HTTP/1.1 101 Switching Protocols',
        'Upgrade: websocket',
        'Connection: Upgrade, X-Own',
        'X-Own: of the connection',
        `Sec-WebSocket-Accept: ${accept(request.headers['sec-websocket-key'] ?? '')}`,
        'Sec-WebSocket-Protocol: chat',
      ];
      // In one packet with the first message, as servers do.
      socket.write(Buffer.concat([Buffer.from(`${answer.join('\r\n')}\r\n\r\n`), greeting.text]));
      if (head.length > 0) socket.write(head);
      socket.pipe(socket);
    });
  }
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { server, port: (server.address() as AddressInfo).port };
}

async function startProxy(resolve: (host: string) => ProxyTarget | undefined) {
  const { server, port } = await startServer((request, response) => {
    response.statusCode = 404;
    response.end(`ordinary answer to ${request.url}`);
  });
  const upgrades = acceptUpgrades(server, createTenantTunnel({ resolve: async (host) => resolve(host) }));
  onTestFinished(() => upgrades.close());
  return { server, port, upgrades };
}

/** Asks for a WebSocket; with the bytes that come right behind the request. */
function knock(
  port: number,
  options: { readonly key: string; readonly upgrade?: string; readonly behind?: Buffer },
): Socket {
  const { key, upgrade = 'websocket', behind = Buffer.alloc(0) } = options;
  const request = [
    'GET /chat?room=1 HTTP/1.1',
    'Host: Shop-1a2b.localhost:7300',
    `Upgrade: ${upgrade}`,
    'Connection: keep-alive, Upgrade, X-Mine',
    'X-Mine: of the connection',
    'X-Forwarded-For: 1.2.3.4',
    'Cookie: a=1',
    `Sec-WebSocket-Key: ${key}`,
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Protocol: chat',
  ];
  const socket = connect({ host: '127.0.0.1', port });
  socket.write(Buffer.concat([Buffer.from(`${request.join('\r\n')}\r\n\r\n`), behind]));
  onTestFinished(() => void socket.destroy());
  return socket;
}

/** Reads until there is so much behind the headers. */
async function readAnswer(
  socket: Socket,
  bodyLength: number,
): Promise<{ readonly headers: string; readonly body: Buffer }> {
  let all = Buffer.alloc(0);
  for (;;) {
    const end = all.indexOf('\r\n\r\n');
    if (end >= 0 && all.length >= end + 4 + bodyLength) {
      return { headers: all.subarray(0, end).toString(), body: all.subarray(end + 4) };
    }
    const [chunk] = (await once(socket, 'data')) as [Buffer];
    all = Buffer.concat([all, chunk]);
  }
}

/** A text frame as a client sends it. */
function frame(text: string): Buffer {
  const mask = randomBytes(4);
  const payload = Buffer.from(text).map((byte, at) => byte ^ (mask[at % 4] ?? 0));
  return Buffer.concat([Buffer.from([0x81, 0x80 | payload.length]), mask, payload]);
}

test('a WebSocket goes to the machine of its host, and both sides hear each other', async () => {
  const handshakes: Handshake[] = [];
  const text = Buffer.from([0x81, 0x02, 0x68, 0x69]);
  const machine = await startServer(() => {}, { text, onHandshake: (handshake) => handshakes.push(handshake) });
  const { port } = await startProxy((host) =>
    host === 'shop-1a2b.localhost:7300' ? { address: `127.0.0.1:${machine.port}` } : undefined,
  );
  const key = randomBytes(16).toString('base64');
  const early = frame('early');
  const socket = knock(port, { key, behind: early });
  const { headers, body } = await readAnswer(socket, text.length + early.length);
  expect(headers).toMatch(/^HTTP\/1\.1 101 Switching Protocols\r\n/);
  expect(headers).toContain(`sec-websocket-accept: ${accept(key)}`);
  expect(headers).toContain('sec-websocket-protocol: chat');
  expect(headers).not.toMatch(/x-own/i);
  expect(body).toEqual(Buffer.concat([text, early]));
  const { request } = handshakes[0] as Handshake;
  expect(request.url).toBe('/chat?room=1');
  expect(request.headers).toMatchObject({
    host: 'shop-1a2b.localhost:7300',
    'x-forwarded-for': '127.0.0.1',
    'x-forwarded-proto': 'http',
    'sec-websocket-version': '13',
    cookie: 'a=1',
    connection: 'Upgrade',
  });
  expect(request.headers).not.toHaveProperty('x-mine');

  const large = randomBytes(2 * 1024 * 1024);
  socket.write(large);
  const heard: Buffer[] = [];
  for (let length = 0; length < large.length; ) {
    const [chunk] = (await once(socket, 'data')) as [Buffer];
    heard.push(chunk);
    length += chunk.length;
  }
  expect(Buffer.concat(heard).equals(large)).toBe(true);
});

test.for(['client', 'machine', 'server'] as const)('when the %s ends it, the other side hears of it', async (who) => {
  const handshakes: Handshake[] = [];
  const onHandshake = (handshake: Handshake) => void handshakes.push(handshake);
  const machine = await startServer(() => {}, { text: Buffer.alloc(0), onHandshake });
  const { port, upgrades } = await startProxy(() => ({ address: `127.0.0.1:${machine.port}` }));
  const socket = knock(port, { key: 'a' });
  await readAnswer(socket, 0);
  const [{ socket: remote }] = handshakes as [Handshake];
  const ended = Promise.all([once(socket, 'close'), once(remote, 'close')]);
  socket.resume();
  if (who === 'client') socket.destroy();
  else if (who === 'machine') remote.destroy();
  else upgrades.close();
  await ended;
});

test('a machine that refuses is heard, and the connection ends', async () => {
  const machine = await startServer(() => {}, undefined);
  machine.server.on('upgrade', (_request: IncomingMessage, socket: Duplex) => {
    socket.end('HTTP/1.1 401 Unauthorized\r\nContent-Length: 6\r\nX-Reason: none\r\n\r\nlog in');
  });
  const { port } = await startProxy(() => ({ address: `127.0.0.1:${machine.port}` }));
  const socket = knock(port, { key: 'a' });
  const { headers, body } = await readAnswer(socket, 6);
  expect(headers).toMatch(/^HTTP\/1\.1 401 Unauthorized\r\n/);
  expect(headers).toContain('x-reason: none');
  expect(body.toString()).toBe('log in');
  await once(socket.resume(), 'close');
});

test.for([
  { what: 'a host that nobody has', target: undefined },
  { what: 'a tenant that does not run', target: { state: 'suspended' } },
  { what: 'a machine that is down', target: { address: '127.0.0.1:1' } },
])('$what: the request is answered as any other', async ({ target }) => {
  const { port } = await startProxy(() => target);
  const socket = knock(port, { key: 'a' });
  const { headers, body } = await readAnswer(socket, 10);
  expect(headers).toMatch(/^HTTP\/1\.1 404 /);
  expect(body.toString()).toContain('ordinary answer to /chat?room=1');
  await once(socket.resume(), 'close');
});

test('another protocol than WebSocket is not switched to', async () => {
  const { port } = await startProxy(() => ({ address: '127.0.0.1:1' }));
  const { headers } = await readAnswer(knock(port, { key: 'a', upgrade: 'h2c' }), 10);
  expect(headers).toMatch(/^HTTP\/1\.1 404 /);
});

test.for([
  ['one piece', 0],
  ['two', 3],
] as const)('a body that comes in %s behind `Upgrade: h2c` is there, and the connection goes on', async ([, split]) => {
  const { server, port } = await startServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { method, headers } = request;
      response.end(`${method} ${headers.upgrade ?? 'as it is'} "${Buffer.concat(chunks).toString()}"\n`);
    });
  });
  const upgrades = acceptUpgrades(server, createTenantTunnel({ resolve: async () => undefined }));
  onTestFinished(() => upgrades.close());
  const socket = connect({ host: '127.0.0.1', port });
  onTestFinished(() => void socket.destroy());
  let answer = '';
  socket.setEncoding('latin1').on('data', (text: string) => (answer += text));
  const body = 'x'.repeat(200_000);
  const head = [
    'POST /echo HTTP/1.1',
    'Host: shop',
    'Connection: Upgrade, HTTP2-Settings',
    'Upgrade: h2c',
    'HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA',
    `Content-Length: ${body.length}`,
  ].join('\r\n');
  socket.write(`${head}\r\n\r\n${body.slice(0, split)}`);
  // Until the server has seen the first.
  if (split > 0) await delay(100);
  socket.write(body.slice(split));
  await vi.waitFor(() => expect(answer).toContain(`POST as it is "${body}"`), { timeout: 90_000 });
  socket.write('GET /next HTTP/1.1\r\nHost: shop\r\n\r\n');
  await vi.waitFor(() => expect(answer).toContain('GET as it is ""'), { timeout: 90_000 });
  // What it was once does not make it one of those that are cut.
  upgrades.close();
  socket.write('GET /last HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n\r\n');
  await once(socket, 'close');
  expect(answer.split('GET as it is').length).toBe(3);
});

test('behind a proxy, a WebSocket is told where it comes from as any request is', async () => {
  const heard: IncomingMessage[] = [];
  const onHandshake = ({ request }: Handshake): void => void heard.push(request);
  const { port: machine } = await startServer(() => {}, { text: Buffer.from('hi'), onHandshake });
  const { server, port } = await startServer(() => {});
  const tunnel = createTenantTunnel({
    resolve: async () => ({ address: `127.0.0.1:${machine}` }),
    protocol: 'https',
    trustedProxyHeader: 'x-edge-ip',
  });
  const upgrades = acceptUpgrades(server, tunnel);
  onTestFinished(() => upgrades.close());
  const socket = connect({ host: '127.0.0.1', port });
  onTestFinished(() => void socket.destroy());
  const lines = ['GET / HTTP/1.1', 'Host: shop', 'Upgrade: websocket', 'Connection: Upgrade', 'Sec-WebSocket-Key: a'];
  lines.push('X-Edge-IP: 203.0.113.9', 'X-Real-IP: 6.6.6.6', 'X_Forwarded_For: 6.6.6.6');
  socket.write(`${lines.join('\r\n')}\r\n\r\n`);
  await once(socket, 'data');
  expect(heard[0]?.headers).toMatchObject({ 'x-forwarded-for': '203.0.113.9', 'x-forwarded-proto': 'https' });
  expect(heard[0]?.headers).not.toHaveProperty('x-edge-ip');
  expect(JSON.stringify(heard[0]?.headers)).not.toContain('6.6.6.6');
});
