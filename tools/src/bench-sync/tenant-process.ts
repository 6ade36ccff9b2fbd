import { spawn } from 'node:child_process';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { loadSyncServer } from './built-package.ts';

/** What the child does: a tenant with the handler, and beside it an upload as simple as it can be: a tarball, unpacked. */
export async function serveTenant(root: string, tarballRoot: string): Promise<void> {
  const { createSyncHandler } = await loadSyncServer();
  const handler = createSyncHandler({ root, token: 'benchmark' });
  const server = createServer((incoming, outgoing) => {
    const answered = incoming.url === '/tarball' ? unpack(incoming, tarballRoot) : answer(handler, incoming, outgoing);
    answered.then(
      () => outgoing.end(),
      () => outgoing.destroy(),
    );
  });
  // Whoever started it is gone, perhaps without saying so.
  process.once('disconnect', () => process.exit());
  server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port));
}

async function unpack(incoming: IncomingMessage, folder: string): Promise<void> {
  const tar = spawn('tar', ['-xzf', '-', '-C', folder], { stdio: ['pipe', 'ignore', 'inherit'] });
  const ended = new Promise((resolve) => tar.once('exit', resolve));
  await pipeline(incoming, tar.stdin);
  await ended;
}

async function answer(
  handler: (request: Request) => Promise<Response>,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  const { method = 'GET', headers, url } = incoming;
  const pairs = Object.entries(headers).map(([name, value]): [string, string] => [name, String(value)]);
  const body = method === 'GET' ? null : (Readable.toWeb(incoming) as ReadableStream<Uint8Array>);
  const response = await handler(new Request(`http://tenant${url}`, { method, headers: pairs, body, duplex: 'half' }));
  outgoing.writeHead(response.status, Object.fromEntries(response.headers));
  if (response.body !== null) await pipeline(Readable.fromWeb(response.body), outgoing);
}
