import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import { type AddressInfo, connect, createServer as createTcpServer, type Socket } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

export interface Served extends AsyncDisposable {
  /** `127.0.0.1:<port>`. */
  readonly host: string;
  readonly url: string;
}

/** `running` ends when everything that requests started has ended: only then may their folders go. */
export async function listen(listener: RequestListener & { running?: () => Promise<unknown> }): Promise<Served> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    host,
    url: `http://${host}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await listener.running?.();
    },
  };
}

/** Serves a web-standard handler over a real socket. */
export function serve(handler: (request: Request) => Promise<Response>): Promise<Served> {
  return listen(nodeListener(handler));
}

export function nodeListener(
  handler: (request: Request) => Promise<Response>,
): RequestListener & { running: () => Promise<unknown> } {
  const works = new Set<Promise<void>>();
  const listener: RequestListener = (incoming, outgoing) => {
    const run = async (): Promise<void> => {
      const response = await handler(toRequest(incoming));
      outgoing.writeHead(response.status, Object.fromEntries(response.headers));
      if (response.body === null) outgoing.end();
      else await pipeline(Readable.from(response.body), outgoing);
    };
    const work = run()
      .catch(() => void outgoing.destroy())
      .finally(() => works.delete(work));
    works.add(work);
  };
  return Object.assign(listener, { running: () => Promise.all(works) });
}

function toRequest(incoming: IncomingMessage): Request {
  const { method = 'GET', headers, url } = incoming;
  const body = method === 'GET' || method === 'HEAD' ? null : bodyOf(incoming);
  const pairs = Object.entries(headers).map(([name, value]): [string, string] => [name, String(value)]);
  return new Request(`http://${headers.host}${url}`, { method, headers: pairs, body, duplex: 'half' });
}

function bodyOf(incoming: IncomingMessage): ReadableStream<Uint8Array> {
  const chunks: AsyncIterator<Buffer> = incoming[Symbol.asyncIterator]();
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const next = await chunks.next();
      if (next.done) controller.close();
      else controller.enqueue(next.value);
    },
  });
}

/** A way to a server that breaks: its first connections that carry much are cut. */
export async function unsteady(
  host: string,
  { cuts, afterBytes }: { readonly cuts: number; readonly afterBytes: number },
): Promise<Served> {
  let left = cuts;
  const sockets = new Set<Socket>();
  const server = createTcpServer((socket) => {
    const upstream = connect(Number(host.split(':')[1]), '127.0.0.1');
    let carried = 0;
    for (const [from, to] of [
      [socket, upstream],
      [upstream, socket],
    ] as const) {
      sockets.add(from);
      from.on('error', () => {});
      from.on('close', () => to.end());
      from.pipe(to);
    }
    socket.on('data', (chunk: Buffer) => {
      carried += chunk.byteLength;
      if (carried < afterBytes || left === 0) return;
      left -= 1;
      carried = Number.NEGATIVE_INFINITY;
      socket.destroy();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const own = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    host: own,
    url: `http://${own}`,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
