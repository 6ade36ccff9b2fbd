import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import type { RegistryToken } from '@sp/cloud-api';
import { createDiskRegistryStorage, createRegistryHandler, type RegistryStorage } from '@sp/oci';
import { onTestFinished } from 'vitest';
import { temporaryFolder } from './fixture-project.ts';

export const registryPassword = 'registry-token-value';

export interface TestRegistry {
  readonly target: RegistryToken;
  readonly storage: RegistryStorage;
}

/** Serves web-standard handlers on a real socket. */
export async function serve(handler: (request: Request) => Promise<Response>): Promise<string> {
  const answer = async (request: Request, outgoing: ServerResponse): Promise<void> => {
    const response = await handler(request);
    outgoing.writeHead(response.status, Object.fromEntries(response.headers));
    if (response.body === null) outgoing.end();
    else Readable.fromWeb(response.body).pipe(outgoing);
  };
  const server = createServer((incoming, outgoing) => {
    const body = incoming.method === 'GET' || incoming.method === 'HEAD' ? null : Readable.toWeb(incoming);
    const request = new Request(`http://${incoming.headers.host}${incoming.url}`, {
      method: incoming.method ?? 'GET',
      headers: new Headers(Object.entries(incoming.headers).map(([name, value]) => [name, String(value)])),
      body,
      duplex: 'half',
    });
    void answer(request, outgoing);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A registry that accepts one password (Basic) and one tag. */
export async function testRegistry(tag = 'tenant-1'): Promise<TestRegistry> {
  const storage = createDiskRegistryStorage(await temporaryFolder());
  const expected = `Basic ${Buffer.from(`tenant:${registryPassword}`).toString('base64')}`;
  const registry = await serve(
    createRegistryHandler({
      storage,
      authorize: async (access) => {
        if (access.request.headers.get('authorization') !== expected) {
          const challenge = 'Basic realm="test"';
          return { allow: false, status: 401, code: 'UNAUTHORIZED', message: 'log in', challenge };
        }
        if (access.action === 'push' && access.tag !== undefined && access.tag !== tag) {
          return { allow: false, status: 403, code: 'DENIED', message: 'not your tag' };
        }
        return { allow: true };
      },
    }),
  );
  const target = { registry, username: 'tenant', token: registryPassword, repository: 'systemprompt-images', tag };
  return { target, storage };
}
