import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createAdaptorServer } from '@hono/node-server';
import { createGracefulClose } from '../http/graceful-close.ts';
import { acceptUpgrades } from '../proxy/accept-upgrades.ts';
import type { TenantTunnel } from '../proxy/tenant-tunnel.ts';
import { findFile, replaceFile } from './atomic-file.ts';
import { LocalCloudError } from './local-cloud-error.ts';

/** A web-standard handler; `env` says from where the connection came, where there is one. */
export type FetchHandler = (request: Request, env?: object) => Promise<Response> | Response;

/** A listening server. */
export interface LocalServer {
  readonly port: number;
  /** Accepts nothing new, lets running answers finish for `graceMs`, then cuts them. */
  close(options?: { readonly graceMs?: number }): Promise<void>;
}

const host = '127.0.0.1';

/**
 * Serves on 127.0.0.1. Port 0 takes the port of the last time when it is free, so that the addresses of tenants and
 * the issuer of tokens stay valid over a restart.
 * @throws {LocalCloudError} SP_LOCAL_PORT_BUSY
 */
export async function startServer(request: {
  readonly fetch: FetchHandler;
  /** Takes WebSockets. */
  readonly tunnel: TenantTunnel;
  readonly port: number;
  readonly dataDir: string;
}): Promise<LocalServer> {
  const remembered = join(request.dataDir, 'port');
  const server = createAdaptorServer({
    fetch: (incoming, env) => request.fetch(incoming, env),
    createServer,
    // The time limit is for whole requests; an image layer on a slow disk may take longer than its five minutes.
    serverOptions: { requestTimeout: 0, headersTimeout: 60_000 },
  }) as Server;
  const close = createGracefulClose(server);
  const upgrades = acceptUpgrades(server, request.tunnel);
  const last = Number((await findFile(remembered))?.toString('utf8') ?? '0');
  const port = await listen(server, request.port, { preferred: last });
  await replaceFile(remembered, `${port}\n`);
  return {
    port,
    close: ({ graceMs = 2000 } = {}) => {
      upgrades.close();
      return close(graceMs);
    },
  };
}

async function listen(server: Server, port: number, options: { readonly preferred: number }): Promise<number> {
  const { preferred } = options;
  if (port === 0 && Number.isInteger(preferred) && preferred > 0 && preferred < 65_536) {
    try {
      return await bind(server, preferred);
    } catch (error) {
      if (!isBusy(error)) throw error;
    }
  }
  try {
    return await bind(server, port);
  } catch (error) {
    if (!isBusy(error)) throw error;
    const { code } = error as NodeJS.ErrnoException;
    throw new LocalCloudError('SP_LOCAL_PORT_BUSY', {
      port,
      reason: code,
      message: `Port ${port} of ${host} cannot be listened on: ${code}`,
    });
  }
}

function isBusy(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'EADDRINUSE' || code === 'EACCES';
}

function bind(server: Server, port: number): Promise<number> {
  return new Promise((done, fail) => {
    const failed = (error: Error): void => fail(error);
    server.once('error', failed);
    server.listen({ host, port }, () => {
      server.off('error', failed);
      done((server.address() as AddressInfo).port);
    });
  });
}
