import { fork } from 'node:child_process';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createDiskRegistryStorage, createRegistryHandler } from '@sp/oci';

/** The registry of `@sp/oci` in a process of its own, as in real life. */
export interface RegistryProcess extends AsyncDisposable {
  /** `127.0.0.1:<port>`. */
  readonly host: string;
  readonly pid: number;
}

/** Starts `program serve <directory>` and waits until it listens. */
export async function startRegistry(program: string, directory: string): Promise<RegistryProcess> {
  const child = fork(program, ['serve', directory], { stdio: 'inherit' });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const port = await new Promise<number>((resolve, reject) => {
    child.once('message', (message) => resolve(message as number));
    child.once('exit', (code) => reject(new Error(`The registry ended with ${code}`)));
  });
  return {
    host: `127.0.0.1:${port}`,
    pid: child.pid ?? 0,
    async [Symbol.asyncDispose]() {
      child.kill();
      await ended;
    },
  };
}

/** What the child does: serves until it is killed. */
export function serveRegistry(directory: string): void {
  const handler = createRegistryHandler({
    storage: createDiskRegistryStorage(directory),
    authorize: () => Promise.resolve({ allow: true }),
  });
  const server = createServer((request, response) => {
    answer(handler, request, response).catch(() => response.destroy());
  });
  // Whoever started it is gone, perhaps without saying so.
  process.once('disconnect', () => process.exit());
  server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port));
}

async function answer(
  handler: (request: Request) => Promise<Response>,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  const { method = 'GET', headers, url } = incoming;
  const pairs = Object.entries(headers).map(([name, value]): [string, string] => [name, String(value)]);
  const body = method === 'GET' || method === 'HEAD' ? null : (Readable.toWeb(incoming) as ReadableStream<Uint8Array>);
  const response = await handler(
    new Request(`http://${headers.host}${url}`, { method, headers: pairs, body, duplex: 'half' }),
  );
  outgoing.writeHead(response.status, Object.fromEntries(response.headers));
  if (response.body === null) outgoing.end();
  else await pipeline(Readable.from(response.body), outgoing);
}
