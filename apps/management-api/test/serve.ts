import type { AddressInfo } from 'node:net';
import { serve } from '@hono/node-server';

/** A web-standard handler behind a real socket of 127.0.0.1. */
export interface ServedHandler extends AsyncDisposable {
  /** `127.0.0.1:<port>`. */
  readonly host: string;
}

/** Serves a handler that may need to know its own address, until it is disposed. */
export function serveHandler(
  handler: (request: Request, env: object) => Response | Promise<Response>,
): Promise<ServedHandler> {
  return new Promise((resolve) => {
    const server = serve({ fetch: handler, hostname: '127.0.0.1', port: 0 }, ({ port }: AddressInfo) => {
      resolve({
        host: `127.0.0.1:${port}`,
        [Symbol.asyncDispose]: () =>
          new Promise<void>((done) => {
            server.close(() => done());
            if ('closeAllConnections' in server) server.closeAllConnections();
          }),
      });
    });
  });
}
