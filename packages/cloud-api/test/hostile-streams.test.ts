import { expect, test } from 'vitest';
import { createCloudApiClient } from '../src/index.ts';
import { serve, sse } from './server.ts';

const stream = { 'content-type': 'text/event-stream' };

test('an event without an end is one named error, not a full memory', async () => {
  let sent = 0;
  const environment = await serve((_, response) => {
    response.writeHead(200, stream);
    const chunk = Buffer.alloc(1_048_576, 'x');
    response.write('data: ');
    const pump = (): void => {
      if (response.destroyed) return;
      sent += 1;
      if (response.write(chunk)) setImmediate(pump);
      else response.once('drain', pump);
    };
    pump();
  });
  const next = createCloudApiClient({ environment }).tenants.events('t')[Symbol.asyncIterator]().next();
  await expect(next).rejects.toMatchObject({
    code: 'SP_API_INVALID_RESPONSE',
    message: 'GET /api/v1/tenants/{id}/events was answered with 16777216 bytes without an event',
  });
  expect(sent).toBeLessThan(100);
});

test('a server that ends each stream at once and wants the next one at once is not asked all the time', async () => {
  let asked = 0;
  const environment = await serve((_, response) => {
    asked += 1;
    response.writeHead(200, stream).end(asked < 4 ? 'retry: 0\n\n' : sse(1, 'tenant_ready'));
  });
  const started = performance.now();
  const events: string[] = [];
  for await (const event of createCloudApiClient({ environment }).tenants.events('t')) events.push(event.eventType);
  expect(events).toEqual(['tenant_ready']);
  // Three pauses of 100 ms; timers may be early by a little.
  expect(performance.now() - started).toBeGreaterThan(250);
});

test('numbers of events may be any text', async () => {
  const asked: (string | undefined)[] = [];
  const environment = await serve((request, response) => {
    asked.push(request.headers['last-event-id'] as string | undefined);
    const event = sse(1, asked.length === 1 ? 'tenant_created' : 'tenant_ready');
    response.writeHead(200, stream).end(`retry: 1\n\n${event.replace('id: 1', `id: é€${asked.length}`)}`);
  });
  const events: string[] = [];
  const given = createCloudApiClient({ environment }).tenants.events('t', { lastEventId: '€' });
  for await (const event of given) events.push(event.eventType);
  expect(events).toEqual(['tenant_created', 'tenant_ready']);
  const inBytes = asked.map((id) => Buffer.from(id ?? '', 'latin1').toString());
  expect(inBytes).toEqual(['€', 'é€1']);
});

test.each([200, 500])('an answer (%i) without an end is one named error, not a full memory', async (status) => {
  let sent = 0;
  const environment = await serve((_, response) => {
    response.writeHead(status, { 'content-type': 'application/json' });
    const chunk = Buffer.alloc(1_048_576, ' ');
    const pump = (): void => {
      if (response.destroyed) return;
      sent += 1;
      if (response.write(chunk)) setImmediate(pump);
      else response.once('drain', pump);
    };
    pump();
  });
  const failure = status === 200 ? 'was answered with too long a text' : 'was answered 500';
  await expect(createCloudApiClient({ environment, retry: 0 }).tenants.list()).rejects.toMatchObject({
    name: 'CloudApiError',
    message: `GET /api/v1/tenants ${failure}`,
  });
  expect(sent).toBeLessThan(200);
});
