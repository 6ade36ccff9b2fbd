import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:net';
import { type ServerType, serve } from '@hono/node-server';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createManagementApi } from '../src/api.ts';
import { createMetrics, type Metrics } from '../src/metrics/metrics.ts';
import { appendEvent } from '../src/tenants/events.ts';
import { type Edge, readEvents, startEdge } from './edge.ts';

// Streams over real connections, where they are written without a stream of the web in between.
const stopping = new AbortController();
let edge: Edge;
let metrics: Metrics;
let server: ServerType;
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
  for await (const { event, data, id } of readEvents(response)) {
    if (event === 'heartbeat') beats += 1;
    else types.push([id, data['event_type']]);
    if (types.length === 2 && beats === 2) {
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

test('a client that goes away leaves nothing, also one that never read', async () => {
  const leaving = new AbortController();
  const [first] = await Promise.all([open(leaving.signal), open(leaving.signal), open(leaving.signal)]);
  await first?.body?.getReader().read();
  const socket = connect({ port: Number(new URL(url).port), host: '127.0.0.1' });
  socket.pause();
  socket.write(`GET /api/v1/tenants/${tenantId}/events HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\n\r\n`);
  await expect.poll(streams).toBe('sp_event_streams 4');
  leaving.abort();
  socket.destroy();
  await expect.poll(streams).toBe('sp_event_streams 0');
});

test('ends with the server', async () => {
  const response = await open();
  const ended = response.text();
  await expect.poll(streams).toBe('sp_event_streams 1');
  stopping.abort();
  expect(await ended).toContain('heartbeat');
  await expect.poll(streams).toBe('sp_event_streams 0');
});
