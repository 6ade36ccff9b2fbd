import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, type Socket } from 'node:net';
import { type ServerType, serve } from '@hono/node-server';
import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { createManagementApi } from '../src/api.ts';
import { createMetrics, type Metrics } from '../src/metrics/metrics.ts';
import { appendEvent } from '../src/tenants/events.ts';
import { type Edge, readEvents, startEdge } from './edge.ts';

// Streams over real connections, where they are written without a stream of the web in between.
const stopping = new AbortController();
let edge: Edge;
let metrics: Metrics;
let server: ServerType;
const connections = new Set<Socket>();
let url: string;
let token: string;
let tenantId: string;

beforeAll(async () => {
  edge = await startEdge();
  metrics = createMetrics(edge);
  const app = createManagementApi(edge.ports, { ...edge.options, metrics, heartbeatMs: 160, signal: stopping.signal });
  token = (await edge.login('owner@example.com')).token;
  tenantId = (await edge.buy(token, 'streamed')).tenantId;
  server = serve({ fetch: (request, env) => app.fetch(request, env), hostname: '127.0.0.1', port: 0 });
  server.on('connection', (socket: Socket) => {
    connections.add(socket);
    socket.on('close', () => connections.delete(socket));
  });
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  server.close();
  await edge.stop();
});

const open = (signal?: AbortSignal): Promise<Response> =>
  fetch(`${url}/api/v1/tenants/${tenantId}/events`, {
    headers: { authorization: `Bearer ${token}` },
    ...(signal === undefined ? {} : { signal }),
  });

const streams = async (): Promise<string | undefined> =>
  (await metrics.render()).body.split('\n').find((line) => line.startsWith('sp_event_streams '));

test('has the headers of every answer, the events of before, those that come, and signs of life between them', async () => {
  const response = await open();
  expect(Object.fromEntries(response.headers)).toMatchObject({
    'content-type': 'text/event-stream',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
    'access-control-allow-origin': '*',
    connection: 'close',
  });
  expect(response.headers.get('x-request-id')).toMatch(/^req_/);
  const types: unknown[] = [];
  let beats = 0;
  let appended = false;
  for await (const { event, data, id } of readEvents(response)) {
    if (event === 'heartbeat') beats += 1;
    else types.push([id, data['event_type']]);
    if (types.length === 2 && beats >= 2 && !appended) {
      appended = true;
      await edge.store.db.transaction((tx) => appendEvent(tx, { tenantId, eventType: 'database_created' }));
    }
    if (types.length === 3) break;
  }
  expect(types).toEqual([
    ['1', 'subscription_created'],
    ['2', 'tenant_created'],
    ['3', 'database_created'],
  ]);
});

test('who has seen more than there is, as after a restore, hears what comes', async () => {
  const leaving = new AbortController();
  const headers = { authorization: `Bearer ${token}`, 'last-event-id': '99999' };
  const response = await fetch(`${url}/api/v1/tenants/${tenantId}/events`, { headers, signal: leaving.signal });
  await edge.store.db.transaction((tx) =>
    appendEvent(tx, { tenantId, eventType: 'vm_provisioning_progress', message: 'after the restore' }),
  );
  const reader = (response.body as ReadableStream<Uint8Array>).pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  while (!text.includes('after the restore')) text += (await reader.read()).value ?? '';
  leaving.abort();
});

test('a client that goes away leaves nothing, also one that never read', async () => {
  const leaving = new AbortController();
  const [first] = await Promise.all([open(leaving.signal), open(leaving.signal), open(leaving.signal)]);
  await first?.body?.getReader().read();
  const socket = openUnread();
  await expect.poll(streams).toBe('sp_event_streams 4');
  leaving.abort();
  socket.destroy();
  await expect.poll(streams).toBe('sp_event_streams 0');
});

/** A stream of which nothing is read until it is told to. */
function openUnread(): Socket {
  const socket = connect({ port: Number(new URL(url).port), host: '127.0.0.1' });
  socket.pause();
  socket.write(
    `GET /api/v1/tenants/${tenantId}/events HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer ${token}\r\n\r\n`,
  );
  return socket;
}

/** Appends events of about a kilobyte each, all at once. */
async function appendMany(count: number): Promise<void> {
  await edge.store.db.transaction(async (tx) => {
    const [row] = (
      await tx.execute<{ head: number }>(
        sql`update tenants set event_sequence = event_sequence + ${count} where id = ${tenantId}
            returning (event_sequence - ${count})::int as head`,
      )
    ).rows;
    await tx.execute(sql`
      insert into tenant_events (tenant_id, sequence, event_type, status, message)
      select ${tenantId}, ${row?.head ?? 0} + n, 'vm_provisioning_progress', 'running', repeat('x', 1000)
      from generate_series(1, ${count}) n`);
    await tx.execute(sql`select pg_notify('tenant_events', ${tenantId})`);
  });
}

test('a client that does not read is cut, and comes back for the rest; the others are not held up', async () => {
  // What the connections between two programs of one computer hold is a few megabytes.
  const events = 20_000;
  const slow = openUnread();
  const closed = once(slow, 'close');
  await expect.poll(streams).toBe('sp_event_streams 1');
  const leaving = new AbortController();
  const reader = await open(leaving.signal);
  const seen: string[] = [];
  const reading = (async () => {
    for await (const { id, event } of readEvents(reader)) if (event !== 'heartbeat') seen.push(id ?? '');
  })().catch(() => {});
  let waiting = 0;
  const watch = setInterval(() => {
    for (const { writableLength } of connections) waiting = Math.max(waiting, writableLength);
  }, 1);
  await appendMany(events);
  const { event_sequence: head } = (
    await edge.store.pool.query<{ event_sequence: string }>('select event_sequence from tenants where id = $1', [
      tenantId,
    ])
  ).rows[0] ?? { event_sequence: '' };
  await expect.poll(() => seen.at(-1)).toBe(head);
  clearInterval(watch);
  expect(seen).toEqual(Array.from({ length: Number(head) }, (_, index) => String(index + 1)));
  // Nothing waits for it but what was read at once.
  expect(waiting).toBeLessThan(1024 ** 2);

  // It gets what its connection held, in order, and the end.
  await expect.poll(streams).toBe('sp_event_streams 1');
  let text = '';
  slow.setEncoding('utf8');
  slow.on('data', (chunk: string) => {
    text += chunk;
  });
  slow.on('error', () => {});
  slow.resume();
  await closed;
  const ids = [...text.matchAll(/^id: (\d+)$/gm)].map(([, id]) => Number(id));
  expect(ids).toEqual(ids.map((_, index) => index + 1));
  expect(ids.length).toBeLessThan(Number(head));

  // Back with the last number that it has, it misses nothing.
  const again = await fetch(`${url}/api/v1/tenants/${tenantId}/events`, {
    headers: { authorization: `Bearer ${token}`, 'last-event-id': String(ids.at(-1) ?? 0) },
  });
  let next = ids.at(-1) ?? 0;
  for await (const { id, event } of readEvents(again)) {
    if (event === 'heartbeat') continue;
    next += 1;
    expect(id).toBe(String(next));
    if (id === head) break;
  }
  leaving.abort();
  await reading;
  await expect.poll(streams).toBe('sp_event_streams 0');
});

test('a HEAD request is no stream, and one behind another on its connection is one', async () => {
  const headers = { authorization: `Bearer ${token}` };
  const head = await fetch(`${url}/api/v1/tenants/${tenantId}/events`, { method: 'HEAD', headers });
  expect(head.status).toBe(405);
  const socket = connect({ port: Number(new URL(url).port), host: '127.0.0.1' });
  const lines = (path: string): string =>
    [`GET ${path} HTTP/1.1`, 'host: 127.0.0.1', `authorization: Bearer ${token}`, '', ''].join('\r\n');
  let text = '';
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  socket.write(`${lines('/api/v1/tenants')}${lines(`/api/v1/tenants/${tenantId}/events`)}`);
  const answers = (): readonly string[] => text.split(/(?=HTTP\/1.1 200)/);
  await expect.poll(() => countChunks(answers()[1] ?? '')).toBeGreaterThanOrEqual(3);
  await expect.poll(() => text).toContain('id: 2\n');
  const [first = '', second = ''] = answers();
  expect(first).toContain('application/json');
  expect(second).toMatch(/^transfer-encoding: chunked\r$/im);
  socket.destroy();
  await expect.poll(streams).toBe('sp_event_streams 0');
});

test('those that wait behind another on its connection end with the connection, begun though they are', async () => {
  const warnings: Error[] = [];
  const note = (warning: Error): void => void warnings.push(warning);
  process.on('warning', note);
  onTestFinished(() => void process.off('warning', note));
  const socket = connect({ port: Number(new URL(url).port), host: '127.0.0.1' });
  const lines = [
    `GET /api/v1/tenants/${tenantId}/events HTTP/1.1`,
    'host: 127.0.0.1',
    `authorization: Bearer ${token}`,
    '',
    '',
  ];
  socket.resume();
  // The first never ends, so the others never have the connection.
  socket.write(lines.join('\r\n').repeat(15));
  await expect.poll(streams).toBe('sp_event_streams 15');
  socket.destroy();
  await expect.poll(streams).toBe('sp_event_streams 0');
  expect(warnings).toEqual([]);
});

/** How many chunks of an answer have come whole. Every one has the length that it says. */
function countChunks(answer: string): number {
  const body = answer.indexOf('\r\n\r\n');
  if (body === -1) return 0;
  let rest = answer.slice(body + 4);
  for (let chunks = 0; ; chunks += 1) {
    const [size = '', more] = rest.split('\r\n', 2);
    const end = size.length + 2 + Number.parseInt(size, 16);
    if (more === undefined || rest.length < end + 2) return chunks;
    expect(rest.slice(end, end + 2)).toBe('\r\n');
    rest = rest.slice(end + 2);
  }
}

test('ends with the server', async () => {
  const response = await open();
  const ended = response.text();
  await expect.poll(streams).toBe('sp_event_streams 1');
  stopping.abort();
  expect(await ended).toContain('heartbeat');
  await expect.poll(streams).toBe('sp_event_streams 0');
});
