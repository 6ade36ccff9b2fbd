import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createAdaptorServer } from '@hono/node-server';
import { OperatorError } from '../commands/operator-error.ts';
import { createGracefulClose } from '../http/graceful-close.ts';
import { acceptUpgrades } from '../proxy/accept-upgrades.ts';
import type { TenantTunnel } from '../proxy/tenant-tunnel.ts';

/** A web-standard handler; `env` says from where the connection came. */
export type ServiceHandler = (request: Request, env: object) => Promise<Response> | Response;

/** A listening server. */
export interface Listener {
  readonly port: number;
  /** Accepts nothing new, lets answers under way finish for `graceMs`, then cuts them. */
  close(options: { readonly graceMs: number }): Promise<void>;
}

const reasons: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another process listens there',
  EADDRNOTAVAIL: 'it is no address of this computer',
  EACCES: 'this user may not',
  ENOTFOUND: 'there is no such host',
};

function describeListenError({ code = '', message }: NodeJS.ErrnoException): string {
  const reason = reasons[code];
  return reason === undefined ? code || message : `${reason} (${code})`;
}

/** Serves a handler. @throws {OperatorError} SP_LISTEN_FAILED */
export async function listen(request: {
  readonly fetch: ServiceHandler;
  /** Takes WebSockets; without it there are none. */
  readonly tunnel?: TenantTunnel | undefined;
  readonly host: string;
  readonly port: number;
  /** How long the head of a request may take. @defaultValue 60000 */
  readonly headTimeoutMs?: number | undefined;
}): Promise<Listener> {
  const { fetch, tunnel = async () => false, host, port, headTimeoutMs = 60_000 } = request;
  const server = createAdaptorServer({
    fetch: (incoming, env) => fetch(incoming, env),
    createServer,
    // The time limit is for whole requests; an image layer over a slow line may take longer than its five minutes.
    // Load balancers keep connections for a minute: the side that closes first must not be ours.
    serverOptions: {
      requestTimeout: 0,
      headersTimeout: headTimeoutMs,
      connectionsCheckingInterval: Math.min(headTimeoutMs, 30_000),
      keepAliveTimeout: 75_000,
    },
  }) as Server;
  const close = createGracefulClose(server);
  const upgrades = acceptUpgrades(server, tunnel);
  await new Promise<void>((done, fail) => {
    const failed = (error: NodeJS.ErrnoException): void =>
      fail(
        new OperatorError('SP_LISTEN_FAILED', `${host}:${port} cannot be listened on: ${describeListenError(error)}`),
      );
    server.once('error', failed);
    server.listen({ host, port }, () => {
      server.off('error', failed);
      done();
    });
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: async ({ graceMs }) => {
      upgrades.close();
      await close(graceMs);
    },
  };
}
