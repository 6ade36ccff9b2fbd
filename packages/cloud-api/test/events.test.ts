import { expect, test } from 'vitest';
import { createCloudApiClient } from '../src/index.ts';
import { json, nobody, serve, sse } from './server.ts';

const stream = { 'content-type': 'text/event-stream' };
const quick = { reconnectDelays: [1, 1, 1] };

const typesOf = async (events: AsyncIterable<{ eventType: string }>): Promise<string[]> => {
  const types: string[] = [];
  for await (const event of events) types.push(event.eventType);
  return types;
};

test('goes on after the last event when the connection is cut or the server is away, and shows each event once', async () => {
  const asked: (string | undefined)[] = [];
  const environment = await serve((request, response) => {
    asked.push(request.headers['last-event-id'] as string | undefined);
    if (asked.length === 1)
      response.writeHead(200, stream).end(`retry: 1\n\n${sse(1, 'tenant_created')}${sse(2, 'database_created')}`);
    else if (asked.length === 2) json(response, 503, { error: { code: 'restarting', message: 'back soon' } });
    else
      response
        .writeHead(200, stream)
        .write(`${sse(2, 'database_created')}${sse(3, 'something_new')}: comment\n\n${sse(4, 'tenant_ready')}`);
  });
  const api = createCloudApiClient({ environment, token: 't' });
  expect(await typesOf(api.tenants.events('t1', quick))).toEqual([
    'tenant_created',
    'database_created',
    'something_new',
    'tenant_ready',
  ]);
  expect(asked).toEqual([undefined, '2', '2']);
});

test('a tenant stream goes on after infrastructure_ready, a checkout stream ends there', async () => {
  const environment = await serve((request, response) => {
    const event = sse(1, 'infrastructure_ready').replace(
      '"status"',
      '"checkout_session_id":"s","tenant_name":"n","status"',
    );
    response.writeHead(200, stream).write(event + (request.url?.includes('checkout') ? '' : sse(2, 'tenant_ready')));
  });
  const api = createCloudApiClient({ environment });
  expect(await typesOf(api.checkout.events('s', quick))).toEqual(['infrastructure_ready']);
  expect(await typesOf(api.tenants.events('t1', quick))).toEqual(['infrastructure_ready', 'tenant_ready']);
});

test('leaves out heartbeats and damaged events', async () => {
  const environment = await serve((_, response) => {
    response
      .writeHead(200, stream)
      .write(`event: heartbeat\ndata: {}\n\nevent: provisioning\ndata: {broken\n\n${sse(9, 'tenant_ready')}`);
  });
  expect(await typesOf(createCloudApiClient({ environment }).tenants.events('t1'))).toEqual(['tenant_ready']);
});

test('does not try again what the server refused for good', async () => {
  let count = 0;
  const environment = await serve((_, response) => {
    count += 1;
    json(response, 404, { error: { code: 'tenant_not_found', message: 'no such tenant' } });
  });
  const events = createCloudApiClient({ environment }).tenants.events('t1', quick);
  await expect(typesOf(events)).rejects.toMatchObject({ code: 'SP_API_NOT_FOUND', serverCode: 'tenant_not_found' });
  expect(count).toBe(1);
});

test('fails after the last attempt when nobody listens', async () => {
  const events = createCloudApiClient({ environment: await nobody() }).tenants.events('t1', quick);
  await expect(typesOf(events)).rejects.toMatchObject({ code: 'SP_API_NETWORK', systemCode: 'ECONNREFUSED' });
});

test('the signal stops a silent stream at once and closes its socket', async () => {
  let closed: () => void = () => undefined;
  const socketClosed = new Promise<void>((resolve) => {
    closed = resolve;
  });
  const controller = new AbortController();
  const environment = await serve((request, response) => {
    request.on('close', closed);
    response.writeHead(200, stream).write(sse(1, 'tenant_created'));
  });
  const seen: string[] = [];
  const follow = async (): Promise<void> => {
    for await (const event of createCloudApiClient({ environment }).tenants.events('t1', {
      signal: controller.signal,
    })) {
      seen.push(event.eventType);
      controller.abort();
    }
  };
  await expect(follow()).rejects.toMatchObject({ code: 'SP_API_ABORTED' });
  await socketClosed;
  expect(seen).toEqual(['tenant_created']);
});
