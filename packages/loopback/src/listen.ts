import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { LoopbackError } from './loopback-error.ts';

/**
 * Binds the server and returns its port. To the literal 127.0.0.1 and not to `localhost`: that name may mean `::1`,
 * where another process can listen on the same port.
 */
export function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const onError = (cause: Error & { code?: string }): void => {
      const busy = cause.code === 'EADDRINUSE';
      const why = busy ? 'the port is in use' : (cause.code ?? cause.message);
      const message = `Cannot listen on 127.0.0.1:${port}: ${why}`;
      reject(new LoopbackError(busy ? 'SP_LOOPBACK_PORT_BUSY' : 'SP_LOOPBACK_LISTEN_FAILED', message, { port, cause }));
    };
    server.once('error', onError);
    if (!Number.isInteger(port) || port < 0 || port > 65_535) return onError(new Error('it is not a port'));
    server.listen({ host: '127.0.0.1', port, exclusive: true }, () => {
      server.off('error', onError);
      // An address of a TCP server is never a string (that is a pipe's).
      resolve((server.address() as AddressInfo).port);
    });
  });
}
