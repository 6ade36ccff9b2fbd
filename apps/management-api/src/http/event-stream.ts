import { provisioningEventName, toWire } from '@sp/cloud-api/contract';
import type { Context } from 'hono';
import type { OpenStreams } from './open-streams.ts';

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
  context: Context,
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
  return context.body(readableEvents(source, { ...options, name }), 200, headers);
}

function readableEvents(
  source: EventSource<unknown>,
  options: Parameters<typeof sendEvents>[2] & { readonly name: string | undefined },
): ReadableStream<Uint8Array> {
  const { streams, signal, name, opened, onError } = options;
  const ended = new AbortController();
  const closed = opened?.();
  const head = name === undefined ? '' : `event: ${name}\n`;
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
          const data = JSON.stringify(toWire(value.event));
          controller.enqueue(encoder.encode(`${head}data: ${data}\nid: ${value.sequence}\n\n`));
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
