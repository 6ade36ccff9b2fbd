import type { Server } from 'node:http';
import type { Socket } from 'node:net';

/** Closes a server without leaving connections open. */
export interface Connections {
  /** Lets answers in progress end, drops all other connections, and returns when nothing is open. */
  close(): Promise<void>;
}

/** After this long an answer that is still not taken is dropped. */
const graceMs = 1000;

/**
 * Browsers open connections ahead of need and send nothing on them. Node does not count those as idle, so they are kept
 * track of here.
 */
export function trackConnections(server: Server): Connections {
  const idle = new Set<Socket>();
  let closing = false;
  let closed: Promise<void> | undefined;

  server.on('connection', (socket) => {
    if (closing) socket.destroy();
    idle.add(socket);
    socket.once('close', () => idle.delete(socket));
  });
  // Every answer says `Connection: close`, so a connection that had a request never becomes idle again.
  server.on('request', (request) => idle.delete(request.socket));

  function closeOnce(): Promise<void> {
    closing = true;
    return new Promise((resolve) => {
      const timer = setTimeout(() => server.closeAllConnections(), graceMs);
      server.close(() => {
        clearTimeout(timer);
        resolve();
      });
      for (const socket of idle) socket.destroy();
    });
  }

  return {
    close: () => (closed ??= closeOnce()),
  };
}
