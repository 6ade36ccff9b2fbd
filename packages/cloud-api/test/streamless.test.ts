import type { ServerResponse } from 'node:http';
import { expect, test } from 'vitest';
import { createCloudApiClient } from '../src/index.ts';
import { json, serve, sse } from './server.ts';

const stream = { 'content-type': 'text/event-stream' };
const quick = { reconnectDelays: [1, 1, 1], pollInterval: 1, silence: 500 };

const typesOf = async (events: AsyncIterable<{ eventType: string }>): Promise<string[]> => {
  const types: string[] = [];
  for await (const event of events) types.push(event.eventType);
  return types;
};

/** A server without streams, whose tenant goes through the statuses given. */
async function statusServer(
  statuses: readonly string[],
  answerEvents: (response: ServerResponse) => void,
): Promise<string> {
  let looks = 0;
  return await serve((request, response) => {
    if (request.url?.endsWith('/events')) return answerEvents(response);
    if (request.url === '/api/v1/checkout/s')
      return json(response, 200, {
        checkout_session_id: 's',
        transaction_id: 'x',
        ...(looks++ < 2 ? {} : { tenant_id: 't1', tenant_name: 'shop' }),
      });
    const status = statuses[Math.min(looks++, statuses.length - 1)];
    return json(response, 200, { data: { status, message: null, app_url: 'http://shop' } });
  });
}

test.each<[string, (response: ServerResponse) => void]>([
  ['404 of a server that does not know the address', (response) => response.writeHead(404).end('<h1>Not found</h1>')],
  ['405', (response) => response.writeHead(405).end()],
  ['406', (response) => response.writeHead(406).end()],
  ['501', (response) => response.writeHead(501).end()],
  ['a page instead of a stream', (response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<p>')],
  ['a proxy that keeps every byte', (response) => response.writeHead(200, stream).flushHeaders()],
])('looks at the status where there is no stream: %s', async (_, answerEvents) => {
  const statuses = ['provisioning', 'awaiting_deploy', 'awaiting_deploy', 'deploying', 'running'];
  const api = createCloudApiClient({ environment: await statusServer(statuses, answerEvents), token: 't' });
  expect(await typesOf(api.tenants.events('t1', quick))).toEqual(['infrastructure_ready', 'tenant_ready']);
});

test('a failure is told with its reason, also in the words of older servers', async () => {
  for (const status of ['provision_failed', 'failed', 'error']) {
    const environment = await statusServer(['provisioning', status], (response) => response.writeHead(405).end());
    const events = [];
    for await (const event of createCloudApiClient({ environment }).tenants.events('t1', quick)) events.push(event);
    expect(events).toMatchObject([{ eventType: 'provisioning_failed', tenantId: 't1', status }]);
  }
});

test('a checkout is followed without a stream, from before the payment on', async () => {
  const environment = await statusServer(
    ['provisioning', 'provisioning', 'provisioning', 'awaiting_deploy'],
    (response) => response.writeHead(406).end(),
  );
  const events = [];
  for await (const event of createCloudApiClient({ environment }).checkout.events('s', quick)) events.push(event);
  expect(events).toMatchObject([
    { eventType: 'infrastructure_ready', checkoutSessionId: 's', tenantId: 't1', tenantName: 'shop' },
  ]);
});

test('a stream that falls silent is opened again after the last event', async () => {
  const asked: unknown[] = [];
  const environment = await serve((request, response) => {
    asked.push(request.headers['last-event-id']);
    response.writeHead(200, stream).write(asked.length === 1 ? sse(1, 'tenant_created') : sse(2, 'tenant_ready'));
  });
  const api = createCloudApiClient({ environment });
  expect(await typesOf(api.tenants.events('t1', quick))).toEqual(['tenant_created', 'tenant_ready']);
  expect(asked).toEqual([undefined, '1']);
});

test('comments and heartbeats are signs of life', async () => {
  let connections = 0;
  const environment = await serve((_, response) => {
    connections += 1;
    response.writeHead(200, stream);
    let beats = 0;
    const timer = setInterval(() => {
      beats += 1;
      if (beats < 20) response.write(beats % 2 === 0 ? ': beat\n\n' : 'event: heartbeat\ndata: {}\n\n');
      else response.write(sse(1, 'tenant_ready'));
    }, 200);
    response.on('close', () => clearInterval(timer));
  });
  const api = createCloudApiClient({ environment });
  // Twenty beats take longer than the silence that is allowed.
  expect(await typesOf(api.tenants.events('t1', { ...quick, silence: 3_500 }))).toEqual(['tenant_ready']);
  expect(connections).toBe(1);
});

test('each sign of life gives the stream all its attempts again', async () => {
  let connections = 0;
  const environment = await serve((_, response) => {
    connections += 1;
    if (connections % 2 === 0) json(response, 503, {}, { 'retry-after': '0' });
    else if (connections < 12) response.writeHead(200, stream).end(`retry: 1\n\n${sse(connections, 'step')}`);
    else response.writeHead(200, stream).write(sse(connections, 'tenant_ready'));
  });
  const events = createCloudApiClient({ environment }).tenants.events('t1', { reconnectDelays: [1] });
  expect(await typesOf(events)).toEqual(['step', 'step', 'step', 'step', 'step', 'step', 'tenant_ready']);
});

test('204 is the end: nothing more will come', async () => {
  const environment = await serve((_, response) => response.writeHead(204).end());
  const events = createCloudApiClient({ environment }).tenants.events('t1', { ...quick, lastEventId: '9' });
  expect(await typesOf(events)).toEqual([]);
});

test('stopping the iteration ends the waiting at once and closes the connection', async () => {
  let closed = (): void => undefined;
  const socketClosed = new Promise<void>((resolve) => (closed = resolve));
  const environment = await serve((request, response) => {
    request.on('close', closed);
    response.writeHead(200, stream).write(sse(1, 'tenant_created'));
  });
  const events = createCloudApiClient({ environment }).tenants.events('t1')[Symbol.asyncIterator]();
  expect(await events.next()).toMatchObject({ value: { eventType: 'tenant_created' } });
  const waiting = events.next();
  await events.return?.();
  expect(await waiting).toEqual({ done: true, value: undefined });
  await socketClosed;
});

test("the client's signal stops a stream, also while it polls", async () => {
  const controller = new AbortController();
  const environment = await serve((request, response) => {
    if (request.url?.endsWith('/events')) return void response.writeHead(405).end();
    json(response, 200, { data: { status: 'provisioning' } });
    controller.abort();
  });
  const api = createCloudApiClient({ environment, signal: controller.signal });
  await expect(typesOf(api.tenants.events('t1', { pollInterval: 60_000 }))).rejects.toMatchObject({
    code: 'SP_API_ABORTED',
  });
});
