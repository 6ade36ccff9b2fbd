import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A server that a client must get along with: it fails once, cuts a stream, and is silent. */
export interface CloudServer extends AsyncDisposable {
  readonly url: string;
}

export async function startCloudServer(): Promise<CloudServer> {
  const asked = new Map<string, number>();
  const server = createServer((request, response) => {
    // Each runtime has a base path of its own, so that one server counts for all.
    const count = (asked.get(request.url ?? '') ?? 0) + 1;
    asked.set(request.url ?? '', count);
    answer(request, response, count);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

function answer(request: IncomingMessage, response: ServerResponse, count: number): void {
  const path = request.url?.replace(/^.*?\/api\/v1\//, '');
  const json = (status: number, body: object, headers: Record<string, string> = {}): void => {
    response.writeHead(status, { 'content-type': 'application/json', 'x-request-id': 'req_1', ...headers });
    response.end(JSON.stringify(body));
  };
  if (request.headers.authorization !== 'Bearer token') json(401, { error: { code: 'unauthorized', message: 'who?' } });
  else if (path === 'tenants') json(200, { data: [{ id: 't', name: 'hello', fly_app_name: null }] });
  else if (path === 'checkout/plans' && count === 1) json(503, {}, { 'retry-after': '0' });
  else if (path === 'checkout/plans') json(200, [{ id: 'p', name: 'Starter', paddle_price_id: 'pri' }]);
  else if (path === 'tenants/t/events') stream(request, response);
  // No answer at all.
  else if (path !== 'tenants/silent') json(404, { error: { code: 'tenant_not_found', message: 'No such tenant' } });
}

/** One event, then the end of the connection; the other one to those who come again and say what they have seen. */
function stream(request: IncomingMessage, response: ServerResponse): void {
  const again = request.headers['last-event-id'] === '1';
  const [id, type, status] = again ? [2, 'tenant_ready', 'running'] : [1, 'tenant_created', 'provisioning'];
  const event = { tenant_id: 't', event_type: type, status };
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.write(`id: ${id}\nevent: provisioning\ndata: ${JSON.stringify(event)}\n\n`, () => {
    if (!again) setTimeout(() => response.destroy(), 50);
  });
}
