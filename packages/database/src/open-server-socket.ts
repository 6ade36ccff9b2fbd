import { readFile } from 'node:fs/promises';
import { connect, isIP, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import type { DatabaseAddress } from './database-address.ts';

/** How to reach a server. */
export interface ServerSocketOptions {
  /** For connecting and agreeing on encryption together, in milliseconds. */
  readonly connectTimeout: number;
  /** Called with each socket as soon as it is made, so that it can be closed from outside. */
  readonly onSocket?: ((socket: Socket) => void) | undefined;
}

const sslRequest = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]);

/**
 * Connects to a Postgres server and agrees on encryption as `sslmode` says; what follows is the login. Rejects with the
 * error of the system, of TLS, or one that says what was wrong.
 */
export async function openServerSocket(address: DatabaseAddress, options: ServerSocketOptions): Promise<Socket> {
  const { host, port, tls } = address;
  const { connectTimeout, onSocket } = options;
  const socket = connect({ host, port });
  onSocket?.(socket);
  let current: Socket = socket;
  const timer = setTimeout(
    () => current.destroy(new Error(`it did not answer within ${connectTimeout} ms`)),
    connectTimeout,
  );
  try {
    await event(socket, 'connect');
    if (tls === 'disable') return socket;
    socket.write(sslRequest);
    const [answer] = await event<Buffer>(socket, 'data');
    socket.pause();
    // More than the one byte would be words that somebody else put in before the encryption.
    if (answer?.length !== 1) throw new Error('it does not speak as Postgres does');
    if (answer.toString('latin1') === 'S') {
      const secure = await startTls(socket, address);
      onSocket?.(secure);
      current = secure;
      await event(secure, 'secureConnect');
      return secure;
    }
    // The server waits for the login now, so nothing is lost before somebody listens.
    if (tls === 'prefer') return socket.resume();
    throw new Error('it does not encrypt, and sslmode asks for it');
  } catch (error) {
    current.destroy();
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

async function startTls(socket: Socket, { host, tls, rootCertificate }: DatabaseAddress): Promise<TLSSocket> {
  const own = rootCertificate !== undefined && rootCertificate !== 'system';
  return connectTls({
    socket,
    rejectUnauthorized: tls === 'verify-full',
    ...(isIP(host) === 0 ? { servername: host } : { host }),
    ...(own ? { ca: await readFile(rootCertificate) } : {}),
  });
}

async function event<T>(socket: Socket, name: 'connect' | 'data' | 'secureConnect'): Promise<readonly T[]> {
  return await new Promise((done, fail) => {
    const settle = (): void => {
      socket.off('error', failed);
      socket.off('close', closed);
    };
    const failed = (error: Error): void => {
      settle();
      // A socket that fails once more has nobody to tell it to.
      socket.on('error', () => {});
      fail(error);
    };
    const closed = (): void => failed(new Error('it closed the connection'));
    socket.once('error', failed);
    socket.once('close', closed);
    socket.once(name, (...values: T[]) => {
      settle();
      done(values);
    });
  });
}
