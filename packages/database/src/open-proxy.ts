import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { parseDatabaseUrl, showAddress } from './database-address.ts';
import { DatabaseError } from './database-error.ts';
import { openServerSocket } from './open-server-socket.ts';

/** A port on this computer that leads to a database. */
export interface DatabaseProxy {
  /** Of 127.0.0.1. */
  readonly port: number;
  /** As the URL given, but by this port. Holds the password. */
  readonly url: string;
  /** Closes the port and every connection through it. */
  close(): Promise<void>;
}

/** How to open a port. */
export interface ProxyOptions {
  /** 0 takes any that is free. @defaultValue 0 */
  readonly port?: number | undefined;
  /** How long to wait for the database's server, in milliseconds. @defaultValue 10000 */
  readonly connectTimeout?: number | undefined;
  /** Called with each connection that could not be made, already reported to its program by closing. */
  readonly onError?: ((error: DatabaseError) => void) | undefined;
  /** Closes the port. */
  readonly signal?: AbortSignal | undefined;
}

const requestLength = 8;
const sslRequest = 80_877_103;
const gssRequest = 80_877_104;

/**
 * Opens a port on 127.0.0.1 that leads to a database. Programs use it without TLS; between here and the server the
 * connection is encrypted as the URL's `sslmode` says. Who logs in is decided by each program: the proxy adds nothing.
 * @throws {DatabaseError} SP_DATABASE_URL_INVALID, SP_DATABASE_PORT_BUSY
 */
export async function openProxy(url: string, options: ProxyOptions = {}): Promise<DatabaseProxy> {
  const { port = 0, connectTimeout = 10_000, onError = () => {}, signal } = options;
  const address = parseDatabaseUrl(url);
  signal?.throwIfAborted();
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: false }, (local) => {
    track(local);
    void carry(local).catch((error: unknown) => {
      local.destroy();
      const reason = error instanceof Error ? error.message : String(error);
      const shown = showAddress(address);
      onError(
        new DatabaseError('SP_DATABASE_UNREACHABLE', `The database ${shown} does not answer: ${reason}`, {
          address: shown,
        }),
      );
    });
  });

  function track(socket: Socket): void {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.once('close', () => sockets.delete(socket));
  }

  async function carry(local: Socket): Promise<void> {
    const first = await readGreeting(local);
    if (first === undefined) return;
    const remote = await openServerSocket(address, { connectTimeout, onSocket: track });
    remote.write(first);
    local.pipe(remote);
    remote.pipe(local);
    remote.once('close', () => local.destroy());
    local.once('close', () => remote.destroy());
    local.resume();
  }

  await listen(server, port);
  const chosen = (server.address() as AddressInfo).port;
  const close = async (): Promise<void> => {
    signal?.removeEventListener('abort', abort);
    const closed = new Promise<void>((done) => server.close(() => done()));
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  const abort = (): void => void close();
  signal?.addEventListener('abort', abort, { once: true });
  return { port: chosen, url: localUrl(url, chosen), close };
}

function localUrl(url: string, port: number): string {
  const local = new URL(url);
  local.hostname = '127.0.0.1';
  local.port = String(port);
  local.searchParams.delete('sslrootcert');
  local.searchParams.set('sslmode', 'disable');
  return local.href;
}

async function listen(server: Server, port: number): Promise<void> {
  await new Promise<void>((done, fail) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const busy = error.code === 'EADDRINUSE';
      fail(busy ? new DatabaseError('SP_DATABASE_PORT_BUSY', `Port ${port} is taken`, { port }) : error);
    });
    server.listen({ host: '127.0.0.1', port }, done);
  });
}

/** Says no to encryption on this side, as often as it is asked for; gives what comes next. `undefined`: nobody spoke. */
async function readGreeting(local: Socket): Promise<Buffer | undefined> {
  let received = Buffer.alloc(0);
  for await (const chunk of local.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    received = Buffer.concat([received, chunk]);
    while (received.length >= requestLength && isEncryptionRequest(received)) {
      local.write('N');
      received = received.subarray(requestLength);
    }
    if (received.length >= requestLength) return received;
  }
  return undefined;
}

function isEncryptionRequest(bytes: Buffer): boolean {
  const code = bytes.readUInt32BE(4);
  return bytes.readUInt32BE(0) === requestLength && (code === sslRequest || code === gssRequest);
}
