import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import { provisioningEventName, toWire } from '@sp/cloud-api/contract';
import type { Context } from 'hono';
import type { HttpEnvironment } from './app.ts';
import type { OpenStreams } from './open-streams.ts';
import { type DirectAnswer, findOutgoing, sendDirectly } from './send-directly.ts';

/** An event and its number in the stream, by which a client resumes. */
export interface NumberedEvent<Event> {
  /** Any text without a line break. */
  readonly sequence: number | string;
  readonly event: Event;
}

/** Where the events of one stream come from. */
export interface EventSource<Event> {
  /** Nothing more will come after what the client has: it is told to stop asking. */
  readonly ended?: boolean;
  /** The name of the events; `undefined`: they have none. @defaultValue `provisioning` */
  readonly eventName?: string | undefined;
  /** Called once; the stream ends with the iteration, and the signal ends the iteration. */
  open(signal: AbortSignal): AsyncIterable<NumberedEvent<Event>>;
}

/** The number after which a reconnecting client wants to continue; 0 is from the beginning. */
export function lastEventId(request: Request): number {
  const value = Number(request.headers.get('last-event-id') ?? 0);
  return Number.isSafeInteger(value) && value > 0 ? value : 0;
}

const encoder = new TextEncoder();
const beat = encoder.encode('event: heartbeat\ndata: {}\n\n');
// Sent at once, so that the client and every proxy know that the stream is open.
const firstBeat = encoder.encode('event: heartbeat\ndata: {}\nretry: 2000\n\n');

const headers = {
  'content-type': 'text/event-stream',
  'cache-control': 'no-store',
  'x-accel-buffering': 'no',
  // Kept alive after the stream, the connection would only hold up a server that stops.
  connection: 'close',
};

/**
 * Answers with a `text/event-stream`. Nothing of it outlives the connection, nor `options.streams`. There may be very
 * many: what a stream keeps is its iteration and the way to end it.
 */
export function sendEvents(
  context: Context<HttpEnvironment>,
  source: EventSource<unknown>,
  options: {
    readonly streams: OpenStreams;
    /** Aborted when the client goes away, where the body's end does not tell. */
    readonly signal?: AbortSignal | undefined;
    /** Told that a stream begins; what it gives is called at its end. */
    readonly opened?: (() => (() => void) | undefined) | undefined;
    readonly onError: (error: unknown) => void;
  },
): Response {
  // To a reconnecting EventSource 204 is the only answer that means "do not come back".
  if (source.ended === true) return context.body(null, 204);
  const name = 'eventName' in source ? source.eventName : provisioningEventName;
  const { streams, signal, opened, onError } = options;
  const shared = { streams, opened, onError, name };
  const outgoing = findOutgoing(context.env);
  if (outgoing === undefined) return context.body(readableEvents(source, { ...shared, signal }), 200, headers);
  // With what was set on the way to here; the stream itself keeps none of it.
  const answer = sendDirectly(outgoing, { ...context.get('headers'), ...headers });
  void pumpEvents(source, answer, shared);
  return RESPONSE_ALREADY_SENT;
}

function readableEvents(
  source: EventSource<unknown>,
  options: Parameters<typeof sendEvents>[2] & { readonly name: string | undefined },
): ReadableStream<Uint8Array> {
  const { streams, signal, name, opened, onError } = options;
  const ended = new AbortController();
  const closed = opened?.();
  let remove = (): void => {};
  const end = (): void => {
    remove();
    closed?.();
    ended.abort();
  };
  const events = source.open(ended.signal)[Symbol.asyncIterator]();
  return new ReadableStream<Uint8Array>({
    start: (controller) => {
      controller.enqueue(firstBeat);
      const stop = (): void => {
        if (ended.signal.aborted) return;
        end();
        controller.close();
      };
      remove = streams.add({
        beat: () => {
          // A client that does not read gets no queue of them.
          if ((controller.desiredSize ?? 0) > 0) controller.enqueue(beat);
        },
        end: stop,
      });
      signal?.addEventListener('abort', stop, { once: true });
    },
    pull: async (controller) => {
      try {
        const { value, done } = await events.next();
        if (ended.signal.aborted) return;
        if (done === true) {
          end();
          controller.close();
        } else {
          controller.enqueue(encodeEvent(value, name));
        }
      } catch (error) {
        if (ended.signal.aborted) return;
        // The client learns no more than that it is over.
        onError(error);
        end();
        controller.close();
      }
    },
    cancel: async () => {
      end();
      await events.return?.();
    },
  });
}

/** The same over a connection of Node.js. */
async function pumpEvents(
  source: EventSource<unknown>,
  answer: DirectAnswer,
  { streams, name, opened, onError }: Omit<Parameters<typeof readableEvents>[1], 'signal'>,
): Promise<void> {
  const ended = new AbortController();
  const closed = opened?.();
  const end = (): void => {
    if (ended.signal.aborted) return;
    remove();
    closed?.();
    ended.abort();
    answer.end();
  };
  answer.onClose(end);
  const remove = streams.add({ beat: () => answer.offer(beat), end });
  try {
    await answer.write(firstBeat);
    for await (const numbered of source.open(ended.signal)) {
      if (ended.signal.aborted) return;
      await answer.write(encodeEvent(numbered, name));
    }
  } catch (error) {
    // The client learns no more than that it is over.
    if (!ended.signal.aborted) onError(error);
  } finally {
    end();
  }
}

function encodeEvent({ sequence, event }: NumberedEvent<unknown>, name: string | undefined): Uint8Array {
  const head = name === undefined ? '' : `event: ${name}\n`;
  return encoder.encode(`${head}data: ${JSON.stringify(toWire(event))}\nid: ${sequence}\n\n`);
}
