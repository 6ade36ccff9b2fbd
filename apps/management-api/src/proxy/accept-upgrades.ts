import { type IncomingMessage, type Server, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { TenantTunnel } from './tenant-tunnel.ts';

/** The connections of a server that speak another protocol by now; it does not know them any more. */
export interface AcceptedUpgrades {
  /** Cuts them: they would go on for as long as the other side likes. */
  close(): void;
}

/**
 * Has a server's requests to switch protocols go through a tunnel. Those that it does not take are answered as ordinary
 * requests, as a server without such a listener would do: nobody has to do what `Upgrade` proposes.
 */
export function acceptUpgrades(server: Server, tunnel: TenantTunnel): AcceptedUpgrades {
  const taken = new Set<Duplex>();
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    taken.add(socket);
    socket.once('close', () => taken.delete(socket));
    const answer = async (): Promise<void> => {
      const isTaken = await tunnel(request, socket, head);
      if (!isTaken) answerOrdinarily(server, { request, socket });
    };
    answer().catch(() => socket.destroy());
  });
  return {
    close: () => {
      for (const socket of taken) socket.destroy();
    },
  };
}

function answerOrdinarily(
  server: Server,
  { request, socket }: { readonly request: IncomingMessage; readonly socket: Duplex },
): void {
  if (socket.destroyed) return;
  const response = new ServerResponse(request);
  // Nobody reads further requests from it.
  response.shouldKeepAlive = false;
  response.assignSocket(request.socket);
  response.once('finish', () => socket.end());
  server.emit('request', request, response);
}
