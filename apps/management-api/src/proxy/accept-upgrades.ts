import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import type { TenantTunnel } from './tenant-tunnel.ts';

/** The connections of a server that speak another protocol by now; it does not know them any more. */
export interface AcceptedUpgrades {
  /** Cuts them: they would go on for as long as the other side likes. */
  close(): void;
}

/**
 * Has a server's requests to switch protocols go through a tunnel. Those that it does not take are answered as ordinary
 * requests, body and all, as a server without such a listener would do: nobody has to do what `Upgrade` proposes.
 */
export function acceptUpgrades(server: Server, tunnel: TenantTunnel): AcceptedUpgrades {
  const taken = new Set<Duplex>();
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const forget = (): void => void taken.delete(socket);
    const cut = (): void => void socket.destroy();
    taken.add(socket);
    socket.once('close', forget);
    // Before anything is waited for: a client that goes away must not end the process.
    socket.on('error', cut);
    const answer = async (): Promise<void> => {
      if (await tunnel(request, socket, head)) return;
      forget();
      socket.off('close', forget);
      socket.off('error', cut);
      if (!socket.destroyed) handBack(server, { request, socket, head });
    };
    answer().catch(cut);
  });
  return {
    close: () => {
      for (const socket of taken) socket.destroy();
    },
  };
}

/** Headers with which a client asks for another protocol. */
const asking = new Set(['upgrade', 'http2-settings']);

/**
 * Gives a connection back to the server, which reads it from the request's first byte as if nothing had been proposed:
 * its parser has let go of what comes behind the headers.
 */
function handBack(
  server: Server,
  { request, socket, head }: { readonly request: IncomingMessage; readonly socket: Duplex; readonly head: Buffer },
): void {
  const { method = 'GET', url = '/', httpVersion, rawHeaders, headers } = request;
  const lines = [`${method} ${url} HTTP/${httpVersion}`];
  // Who wanted a WebSocket has no other requests, but maybe frames of it.
  const isLast = headers.upgrade?.toLowerCase() === 'websocket';
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] ?? '';
    const value = rawHeaders[at + 1] ?? '';
    const isConnection = name.toLowerCase() === 'connection';
    if (isConnection) lines.push(`${name}: ${isLast ? 'close' : withoutAsking(value)}`);
    else if (!asking.has(name.toLowerCase())) lines.push(`${name}: ${value}`);
  }
  socket.unshift(Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), head]));
  server.emit('connection', socket);
}

function withoutAsking(connection: string): string {
  return connection
    .split(',')
    .map((option) => option.trim())
    .filter((option) => !asking.has(option.toLowerCase()))
    .join(', ');
}
