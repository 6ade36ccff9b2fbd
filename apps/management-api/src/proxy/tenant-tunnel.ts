import { request as httpRequest, type IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { clientAddress } from '../http/client-address.ts';
import { parseAddress } from './forward.ts';
import { forwardedHeaders } from './forwarded-headers.ts';
import { endToEndHeaders } from './hop-by-hop.ts';
import type { TenantProxyOptions } from './tenant-proxy.ts';

/**
 * Takes a request to switch protocols (an `upgrade` event of a server) if it is for a tenant that runs; `false` when it
 * is not, and has to be answered as an ordinary request.
 */
export type TenantTunnel = (request: IncomingMessage, socket: Duplex, head: Buffer) => Promise<boolean>;

/**
 * The way for WebSockets from a tenant's host name to its machine: the handshake is passed on with the same headers as any
 * request, and once the machine agrees, the bytes of both sides. What it answers instead is passed on, too.
 */
export function createTenantTunnel(options: TenantProxyOptions): TenantTunnel {
  const { resolve, protocol = 'http', trustedProxyHeader } = options;
  return async (request, socket, head) => {
    const host = (request.headers.host ?? '').toLowerCase();
    if (request.headers.upgrade?.toLowerCase() !== 'websocket' || request.method !== 'GET') return false;
    const target = await resolve(host);
    if (target === undefined || 'state' in target || socket.destroyed) return false;
    const pairs = pairsOf(request.rawHeaders);
    const address = clientAddress({ incoming: request }, new Headers(pairs), trustedProxyHeader) ?? '127.0.0.1';
    const headers = forwardedHeaders(pairs, { host, address, protocol, trustedProxyHeader });
    headers.push(['connection', 'Upgrade'], ['upgrade', 'websocket']);
    return await connect({ request, socket, head }, { address: target.address, headers });
  };
}

/** Whether the machine answered. */
async function connect(
  client: { readonly request: IncomingMessage; readonly socket: Duplex; readonly head: Buffer },
  target: { readonly address: string; readonly headers: readonly (readonly [string, string])[] },
): Promise<boolean> {
  const { request, socket, head } = client;
  const { host, port } = parseAddress(target.address);
  const headers = target.headers.flat();
  const outgoing = httpRequest({ host, port, path: request.url ?? '/', headers, setHost: false, agent: false });
  return await new Promise<boolean>((done) => {
    const leave = (): void => void outgoing.destroy();
    socket.once('close', leave);
    outgoing.once('error', () => {
      socket.off('close', leave);
      done(false);
    });
    outgoing.once('upgrade', (answer: IncomingMessage, machine: Duplex, first: Buffer) => {
      socket.write(
        statusAndHeaders(answer, [
          ['connection', 'Upgrade'],
          ['upgrade', 'websocket'],
        ]),
      );
      // Bytes that came with the handshake come before all others.
      if (first.length > 0) socket.write(first);
      if (head.length > 0) machine.write(head);
      join(socket, machine);
      done(true);
    });
    outgoing.once('response', (answer: IncomingMessage) => {
      socket.write(statusAndHeaders(answer, [['connection', 'close']]));
      answer.on('error', () => socket.destroy());
      answer.pipe(socket);
      done(true);
    });
    outgoing.end();
  });
}

/** Until one side ends, and then for neither. */
function join(one: Duplex, other: Duplex): void {
  for (const [from, to] of [
    [one, other],
    [other, one],
  ] as const) {
    from.on('error', () => to.destroy());
    from.on('close', () => to.destroy());
    from.pipe(to);
  }
}

/** What node:http has read of an answer, as it was sent; a body of unknown length then ends with the connection. */
function statusAndHeaders(answer: IncomingMessage, own: readonly (readonly [string, string])[]): string {
  const { statusCode = 502, statusMessage = '', rawHeaders } = answer;
  const headers = [...endToEndHeaders(pairsOf(rawHeaders)), ...own];
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${statusCode} ${statusMessage}\r\n${lines.join('')}\r\n`;
}

function pairsOf(rawHeaders: readonly string[]): [string, string][] {
  return rawHeaders.flatMap((name, at): [string, string][] => (at % 2 === 0 ? [[name, rawHeaders[at + 1] ?? '']] : []));
}
