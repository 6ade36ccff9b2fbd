import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/** What stands in front of replicas: it sends requests to those that say that they are ready, and tries none twice. */
export interface Balancer extends AsyncDisposable {
  readonly url: string;
  /** Ports of the replicas that were ready at the last look. */
  readonly ready: ReadonlySet<number>;
}

const lookMs = 200;

/** Starts one for replicas on these ports of 127.0.0.1. */
export async function startBalancer(ports: readonly number[]): Promise<Balancer> {
  const ready = new Set<number>();
  let turn = 0;
  const server = createServer((incoming, outgoing) => {
    const open = [...ready];
    const port = open[turn++ % open.length];
    if (port === undefined) return void outgoing.writeHead(503).end('no replica is ready');
    forward(port, incoming, outgoing);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const closing = new AbortController();
  const looking = Promise.all(
    ports.map(async (port) => {
      while (!closing.signal.aborted) {
        const isReady = await fetch(`http://127.0.0.1:${port}/readyz`).then(
          ({ ok }) => ok,
          () => false,
        );
        if (isReady) ready.add(port);
        else ready.delete(port);
        await delay(lookMs);
      }
    }),
  );
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    ready,
    async [Symbol.asyncDispose]() {
      closing.abort();
      await looking;
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}

function forward(port: number, incoming: IncomingMessage, outgoing: ServerResponse): void {
  const { method, url, headers } = incoming;
  const proxied = request({ host: '127.0.0.1', port, method, path: url, headers }, (answer) => {
    outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(outgoing);
    answer.on('error', () => outgoing.destroy());
  });
  proxied.on('error', (error) =>
    outgoing.headersSent ? outgoing.destroy() : outgoing.writeHead(502).end(error.message),
  );
  incoming.pipe(proxied);
}
