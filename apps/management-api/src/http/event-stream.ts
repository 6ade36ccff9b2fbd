import { provisioningEventName, toWire } from '@sp/cloud-api/contract';
import type { Context } from 'hono';
import { streamSSE } from 'hono/streaming';

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

/** Answers with a `text/event-stream`. Nothing of it outlives the connection, nor `options.signal`. */
export function sendEvents(
  context: Context,
  source: EventSource<unknown>,
  options: {
    readonly signal: AbortSignal;
    readonly heartbeatMs: number;
    /** Told that a stream begins; what it gives is called at its end. */
    readonly opened?: (() => (() => void) | undefined) | undefined;
    readonly onError: (error: unknown) => void;
  },
): Response {
  const { signal, heartbeatMs, onError } = options;
  // To a reconnecting EventSource 204 is the only answer that means "do not come back".
  if (source.ended === true) return context.body(null, 204);
  const event = 'eventName' in source ? source.eventName : provisioningEventName;

  const response = streamSSE(context, async (stream) => {
    const closed = options.opened?.();
    const left = new AbortController();
    stream.onAbort(() => left.abort());
    const ended = AbortSignal.any([left.signal, signal]);
    let beating = false;
    const heartbeat = setInterval(() => {
      // A client that does not read gets no queue of heartbeats.
      if (beating) return;
      beating = true;
      void stream.writeSSE({ event: 'heartbeat', data: '{}' }).finally(() => {
        beating = false;
      });
    }, heartbeatMs);
    try {
      // The first bytes go out at once, so that the client and every proxy know that the stream is open.
      await stream.writeSSE({ event: 'heartbeat', data: '{}', retry: 2000 });
      for await (const numbered of source.open(ended)) {
        if (ended.aborted) break;
        await stream.writeSSE({
          id: String(numbered.sequence),
          ...(event === undefined ? {} : { event }),
          data: JSON.stringify(toWire(numbered.event)),
        });
      }
    } catch (error) {
      // Without this the library would send the error's text to the client.
      if (!ended.aborted) onError(error);
    } finally {
      clearInterval(heartbeat);
      closed?.();
    }
  });
  response.headers.set('cache-control', 'no-store');
  response.headers.set('x-accel-buffering', 'no');
  // Kept alive after the stream, the connection would only hold up a server that stops.
  response.headers.set('connection', 'close');
  return response;
}
