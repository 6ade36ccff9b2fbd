import { once } from 'node:events';
import type { ServerResponse } from 'node:http';

/** The Node.js answer behind a request, where it is served by `@hono/node-server`. */
export function findOutgoing(env: unknown): ServerResponse | undefined {
  return (env as { outgoing?: ServerResponse } | undefined)?.outgoing;
}

/** Writes to a connection without a stream of the web in between: of those, 15,000 are 100 MB. */
export interface DirectAnswer {
  /** Writes now, unless the client does not read what it was sent before. */
  offer(bytes: Uint8Array): void;
  /** Writes, and waits until the client has read enough to be sent more. */
  write(bytes: Uint8Array): Promise<void>;
  end(): void;
  /** Calls once, when the connection has ended or {@link DirectAnswer.end} was called. */
  onClose(closed: () => void): void;
}

/** Begins an answer. */
export function sendDirectly(outgoing: ServerResponse, headers: Readonly<Record<string, string>>): DirectAnswer {
  outgoing.writeHead(200, headers);
  return {
    offer: (bytes) => {
      if (!outgoing.writableNeedDrain) outgoing.write(bytes);
    },
    write: async (bytes) => {
      if (outgoing.destroyed || outgoing.write(bytes)) return;
      await Promise.race([once(outgoing, 'drain'), once(outgoing, 'close')]);
    },
    end: () => {
      outgoing.end();
    },
    onClose: (closed) => {
      outgoing.once('close', closed);
    },
  };
}
