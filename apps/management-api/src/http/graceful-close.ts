import type { Server } from 'node:http';

/** How often connections are looked for that have become idle, in ms. */
const lookMs = 100;

/**
 * Makes the way to close a server: it accepts nothing new, lets answers under way finish for `graceMs`, then cuts them.
 * Connections that clients keep alive hold nothing up: they end with the answer that is under way. Call it before the
 * server listens.
 */
export function createGracefulClose(server: Server): (graceMs: number) => Promise<void> {
  let isClosing = false;
  // Before the handler: it may answer at once.
  server.prependListener('request', (_request, response) => {
    if (isClosing) response.shouldKeepAlive = false;
  });
  return async (graceMs) => {
    isClosing = true;
    const timer = setTimeout(() => server.closeAllConnections(), graceMs);
    const looks = setInterval(() => server.closeIdleConnections(), lookMs);
    await new Promise<void>((done) => {
      server.close(() => done());
      server.closeIdleConnections();
    });
    clearInterval(looks);
    clearTimeout(timer);
  };
}
