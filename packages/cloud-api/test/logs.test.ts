import { expect, test } from 'vitest';
import { contract, endpointScopes } from '../src/contract.ts';
import { createCloudApiClient, type LogEntry } from '../src/index.ts';
import { json, serve } from './server.ts';

const line = (id: string, message: string): string =>
  `id: ${id}\ndata: ${JSON.stringify({ time: '2026-01-02T03:04:05Z', stream: 'stdout', message, release_number: 3 })}\n\n`;

test('asks for lines with what was wanted, and gives them their names', async () => {
  const asked: (string | undefined)[] = [];
  const environment = await serve((request, response) => {
    asked.push(request.url);
    const entry = { time: '2026-01-02T03:04:05Z', stream: 'stderr', message: 'x', release_number: 3 };
    json(response, 200, { data: [entry] });
  });
  const api = createCloudApiClient({ environment, token: 't' });
  expect(await api.tenants.getLogs('a b', { tail: 5, since: '2026-01-02T03:04:05+00:00' })).toEqual([
    { time: '2026-01-02T03:04:05Z', stream: 'stderr', message: 'x', releaseNumber: 3 },
  ]);
  await api.tenants.getLogs('a b');
  expect(asked).toEqual([
    '/api/v1/tenants/a%20b/logs?tail=5&since=2026-01-02T03%3A04%3A05%2B00%3A00',
    '/api/v1/tenants/a%20b/logs',
  ]);
});

test('follows lines over a cut connection from the last one on, until the server says that there are no more', async () => {
  const asked: (string | undefined)[] = [];
  const environment = await serve((request, response) => {
    asked.push(`${request.url} ${request.headers['last-event-id'] as string | undefined}`);
    if (asked.length === 1) {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.end(`retry: 1\n\n${line('3.a.1', 'one')}event: heartbeat\ndata: {}\n\n${line('3.a.2', 'two')}`);
    } else response.writeHead(204).end();
  });
  const api = createCloudApiClient({ environment, token: 't' });
  const lines: LogEntry[] = [];
  for await (const entry of api.tenants.followLogs('t1', { tail: 2, release: 3, reconnectDelays: [1] }))
    lines.push(entry);
  expect(lines.map(({ message }) => message)).toEqual(['one', 'two']);
  expect(asked).toEqual([
    '/api/v1/tenants/t1/logs/events?tail=2&release=3 undefined',
    '/api/v1/tenants/t1/logs/events?tail=2&release=3 3.a.2',
  ]);
});

test('every endpoint that asks who calls says which scope an API token needs for it, and no other does', () => {
  for (const [resource, verbs] of Object.entries(contract)) {
    const scopes = endpointScopes[resource as keyof typeof endpointScopes] as Record<string, string>;
    const asking = Object.entries(verbs).filter(([, { auth }]) => auth === 'bearer');
    expect(Object.keys(scopes).sort(), resource).toEqual(asking.map(([verb]) => verb).sort());
  }
});
