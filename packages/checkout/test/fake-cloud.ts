import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type CloudApiClient, createCloudApiClient } from '@sp/cloud-api';
import { onTestFinished } from 'vitest';

export interface FakeCloud {
  readonly api: CloudApiClient;
  /** Number of requests by path. */
  readonly requests: Map<string, number>;
  /** Answer event streams with this status from now on; 401 refuses everything. */
  refuseStreams(status: number | undefined): void;
  /** Answer questions for the status with this one from now on. */
  refuseStatus(status: number | undefined): void;
  /** Appends an event to the one session and its tenant. */
  emit(eventType: string, fields?: object): void;
  setStatus(status: string, fields?: object): void;
}

/** The few endpoints that a checkout needs, on a real socket, behind the real client. */
export async function fakeCloud(): Promise<FakeCloud> {
  const events: string[] = [];
  const streams = new Set<ServerResponse>();
  const requests = new Map<string, number>();
  let refused: number | undefined;
  let statusRefused: number | undefined;
  let status: object = { status: 'provisioning' };

  const server = createServer((request, response) => {
    const path = (request.url ?? '').split('?')[0] ?? '';
    requests.set(path, (requests.get(path) ?? 0) + 1);
    const json = (code: number, body: object): void => {
      response.writeHead(code, { 'content-type': 'application/json' });
      response.end(JSON.stringify(body));
    };
    if (request.method === 'POST' && path === '/api/v1/checkout') {
      json(200, { checkout_url: 'https://pay.test/txn_1', transaction_id: 'txn_1', checkout_session_id: 'cs_1' });
    } else if (path === '/api/v1/checkout/cs_1' && refused === undefined) {
      json(200, { checkout_session_id: 'cs_1', transaction_id: 'txn_1' });
    } else if (path.endsWith('/events')) {
      if (refused !== undefined) return json(refused, { error: { code: 'refused', message: 'refused' } });
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(': hello\n\n');
      const after = Number(request.headers['last-event-id'] ?? 0);
      response.write(events.slice(after).join(''));
      streams.add(response);
    } else if (refused === 401) json(401, { error: { code: 'unauthorized', message: 'log in' } });
    else if (statusRefused !== undefined) json(statusRefused, { error: { code: 'broken', message: 'broken' } });
    else if (path.endsWith('/status')) json(200, { data: status });
    else json(404, { error: { code: 'not_found', message: 'not found' } });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return {
    api: createCloudApiClient({ environment: `http://127.0.0.1:${port}`, token: 'token', retry: 0 }),
    requests,
    refuseStreams(code) {
      refused = code;
    },
    refuseStatus(code) {
      statusRefused = code;
    },
    emit(eventType, fields = {}) {
      const names = { checkout_session_id: 'cs_1', tenant_id: 't_1', tenant_name: 'site' };
      const data = JSON.stringify({ ...names, event_type: eventType, status: 'provisioning', ...fields });
      const text = `id: ${events.length + 1}\nevent: provisioning\ndata: ${data}\n\n`;
      events.push(text);
      for (const stream of streams) stream.write(text);
    },
    setStatus(name, fields = {}) {
      status = { status: name, ...fields };
    },
  };
}
