import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Frame } from './frame.ts';

/** The Node.js answer behind a request, where it is served by `@hono/node-server`. */
export function findOutgoing(env: unknown): ServerResponse | undefined {
  return (env as { outgoing?: ServerResponse } | undefined)?.outgoing;
}

/** Writes to a connection without a stream of the web in between: of those, 15,000 are 100 MB. */
export interface DirectAnswer {
  /** Whether the client has read what it was sent, but for what a connection holds. */
  readonly ready: boolean;
  /** Writes now, whether the client reads or not. */
  send(frames: readonly Frame[]): void;
  /** Writes, and waits until the client has read enough to be sent more. */
  write(frame: Frame): Promise<void>;
  /** Calls once, when the answer is {@link DirectAnswer.ready} again. */
  onReady(ready: () => void): void;
  end(): void;
  /** Ends the connection, with all that waits in it. */
  cut(): void;
  /** Calls once, when the connection has ended or {@link DirectAnswer.end} was called; at once when it has ended already. */
  onClose(closed: () => void): void;
}

/** Begins an answer. */
export function sendDirectly(outgoing: ServerResponse, headers: Readonly<Record<string, string>>): DirectAnswer {
  outgoing.writeHead(200, headers);
  const isReady = (): boolean => !(outgoing.socket ?? outgoing).writableNeedDrain;
  const send = (frames: readonly Frame[]): void => {
    const { socket } = outgoing;
    // The first goes with the head. A request behind another on its connection has none until that one is answered.
    if (socket === null || outgoing.writableEnded || !begun) {
      for (const { bytes } of frames) outgoing.write(bytes);
      begun = socket !== null;
      return;
    }
    // Already cut into a chunk for all who get it: the answer would do it for each of them, in three writes.
    if (frames.length > 1) socket.cork();
    for (const { bytes, chunk } of frames) socket.write(outgoing.chunkedEncoding ? chunk : bytes);
    if (frames.length > 1) socket.uncork();
  };
  let begun = false;
  return {
    get ready() {
      return isReady();
    },
    send,
    write: async (frame) => {
      if (outgoing.destroyed) return;
      send([frame]);
      if (isReady()) return;
      const waiting = new AbortController();
      const { signal } = waiting;
      // What waits for the other of the two must not stay behind.
      const told = ['drain', 'close'].map((name) => once(outgoing.socket ?? outgoing, name, { signal }));
      // An error of the connection is followed by its end.
      await Promise.race(told).catch(() => {});
      waiting.abort();
    },
    onReady: (ready) => {
      (outgoing.socket ?? outgoing).once('drain', ready);
    },
    end: () => {
      outgoing.end();
    },
    cut: () => {
      outgoing.destroy();
    },
    onClose: (closed) => {
      const { socket } = outgoing.req;
      // A client that left before has had its `close`.
      if (outgoing.destroyed || socket.destroyed) return closed();
      if (outgoing.socket !== null) return outgoing.once('close', closed);
      // One behind another on its connection gets no `close` of its own before its turn has come.
      const calls = queuedOn(socket);
      calls.add(closed);
      outgoing.once('close', () => {
        calls.delete(closed);
        closed();
      });
    },
  };
}

const queued = new WeakMap<Socket, Set<() => void>>();

/** Who is called when a connection closes: by one listener, however many answers are queued on it. */
function queuedOn(socket: Socket): Set<() => void> {
  const known = queued.get(socket);
  if (known !== undefined) return known;
  const calls = new Set<() => void>();
  queued.set(socket, calls);
  socket.once('close', () => {
    for (const call of calls) call();
  });
  return calls;
}
