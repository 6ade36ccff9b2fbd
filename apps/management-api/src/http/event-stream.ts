import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import { provisioningEventName, toWire } from '@sp/cloud-api/contract';
import type { Context } from 'hono';
import type { HttpEnvironment } from './app.ts';
import { createFrame, type Frame } from './frame.ts';
import type { OpenStreams } from './open-streams.ts';
import { type DirectAnswer, findOutgoing, sendDirectly } from './send-directly.ts';

/** An event and its number in the stream, by which a client resumes. */
export interface NumberedEvent<Event> {
  /** Any text without a line break. */
  readonly sequence: number | string;
  readonly event: Event;
}

/** Where the events of one stream come from. */
export type EventSource<Event> = {
  /** Nothing more will come after what the client has: it is told to stop asking. */
  readonly ended?: boolean;
  /** The name of the events; `undefined`: they have none. @defaultValue `provisioning` */
  readonly eventName?: string | undefined;
} & (
  | {
      /** Called once; the stream ends with the iteration, and the signal ends the iteration. */
      open(signal: AbortSignal): AsyncIterable<NumberedEvent<Event>>;
    }
  | {
      /** Called once: for streams of which there may be very many, that are sent the same events. */
      attach(sink: EventSink<Event>): Attachment;
    }
);

/** The client's side of a stream. */
export interface EventSink<Event> {
  /**
   * Sends events; those that are the same objects are encoded once for all who get them. With `false` the client does
   * not read: it may be sent more when {@link Attachment.resume} is called.
   */
  send(events: readonly NumberedEvent<Event>[]): boolean;
  /** Ends the stream; with an error, that it failed. */
  end(error?: unknown): void;
}

/** A source's side of a stream. */
export interface Attachment {
  /** The client has read what it was sent. */
  resume(): void;
  /** Nobody is there any more. */
  leave(): void;
}

/** The number after which a reconnecting client wants to continue; 0 is from the beginning. */
export function lastEventId(request: Request): number {
  const value = Number(request.headers.get('last-event-id') ?? 0);
  return Number.isSafeInteger(value) && value > 0 ? value : 0;
}

const beat = createFrame('event: heartbeat\ndata: {}\n\n');
// Sent at once, so that the client and every proxy know that the stream is open.
const firstBeat = createFrame('event: heartbeat\ndata: {}\nretry: 2000\n\n');
/** A client that has not read what was sent before so many signs of life is gone, or as good as that. */
const patienceBeats = 3;

const headers = {
  'content-type': 'text/event-stream',
  'cache-control': 'no-store',
  'x-accel-buffering': 'no',
  // Kept alive after the stream, the connection would only hold up a server that stops.
  connection: 'close',
};

interface StreamOptions {
  readonly streams: OpenStreams;
  /** Told that a stream begins; what it gives is called at its end. */
  readonly opened?: (() => (() => void) | undefined) | undefined;
  readonly onError: (error: unknown) => void;
}

/**
 * Answers with a `text/event-stream`. Nothing of it outlives the connection, nor `options.streams`. There may be very
 * many: what a stream keeps is the way to its client and the way to end it, and of what its client does not read no
 * more than what was read for it at once.
 */
export function sendEvents(
  context: Context<HttpEnvironment>,
  source: EventSource<unknown>,
  options: StreamOptions & {
    /** Aborted when the client goes away, where the body's end does not tell. */
    readonly signal?: AbortSignal | undefined;
  },
): Response {
  // To a reconnecting EventSource 204 is the only answer that means "do not come back".
  if (source.ended === true) return context.body(null, 204);
  if (context.req.method === 'HEAD') return context.body(null, 200, headers);
  const { signal, ...shared } = options;
  const outgoing = findOutgoing(context.env);
  if (outgoing === undefined) return context.body(readableEvents(source, { ...shared, signal }), 200, headers);
  // With what was collected on the way to here; the stream itself keeps none of it.
  writeEvents(source, sendDirectly(outgoing, { ...context.get('headers'), ...headers }), shared);
  return RESPONSE_ALREADY_SENT;
}

/** Sends a source's events to a connection of Node.js. */
function writeEvents(
  source: EventSource<unknown>,
  answer: DirectAnswer,
  { streams, opened, onError }: StreamOptions,
): void {
  const name = nameOf(source);
  const closed = opened?.();
  let over = false;
  let late = 0;
  let leave = (): void => {};
  let remove = (): void => {};
  const end = (): void => {
    if (over) return;
    over = true;
    remove();
    closed?.();
    leave();
    answer.end();
  };
  answer.onClose(end);
  // The client left while its stream was got ready.
  if (over) return;
  remove = streams.add({
    beat: () => {
      if (answer.ready) {
        late = 0;
        answer.send([beat]);
      } else {
        late += 1;
        // It comes again with the number of the last event that it read, and is sent the rest.
        if (late === patienceBeats) answer.cut();
      }
    },
    end,
  });
  // The server stops just now.
  if (over) return;
  answer.send([firstBeat]);
  if ('attach' in source) {
    const attachment = source.attach({
      send: (events) => {
        if (over) return false;
        answer.send(events.map((event) => streams.encode(event, () => frameOf(event, name))));
        if (answer.ready) return true;
        answer.onReady(() => {
          if (!over) attachment.resume();
        });
        return false;
      },
      end: (error) => {
        if (error !== undefined && !over) onError(error);
        end();
      },
    });
    leave = () => attachment.leave();
    return;
  }
  const ended = new AbortController();
  leave = () => ended.abort();
  const pump = async (): Promise<void> => {
    try {
      for await (const event of source.open(ended.signal)) {
        if (over) return;
        await answer.write(frameOf(event, name));
      }
    } catch (error) {
      // The client learns no more than that it is over.
      if (!over) onError(error);
    } finally {
      end();
    }
  };
  void pump();
}

/** The same as a body of the web: for callers in this process, and servers of other kinds. */
function readableEvents(
  source: EventSource<unknown>,
  { streams, signal, opened, onError }: StreamOptions & { readonly signal?: AbortSignal | undefined },
): ReadableStream<Uint8Array> {
  const name = nameOf(source);
  const ended = new AbortController();
  const closed = opened?.();
  let remove = (): void => {};
  let leave = (): void => {};
  let resume: (() => void) | undefined;
  let pull = async (): Promise<void> => {};
  const end = (): void => {
    if (ended.signal.aborted) return;
    remove();
    closed?.();
    ended.abort();
    leave();
  };
  return new ReadableStream<Uint8Array>({
    start: (controller) => {
      controller.enqueue(firstBeat.bytes);
      const stop = (error?: unknown): void => {
        if (ended.signal.aborted) return;
        // The client learns no more than that it is over.
        if (error !== undefined) onError(error);
        end();
        controller.close();
      };
      const isReady = (): boolean => (controller.desiredSize ?? 0) > 0;
      remove = streams.add({
        beat: () => {
          // A client that does not read gets no queue of them.
          if (isReady()) controller.enqueue(beat.bytes);
        },
        end: () => stop(),
      });
      if (signal?.aborted === true) stop();
      else signal?.addEventListener('abort', () => stop(), { once: true });
      if (ended.signal.aborted) return;
      if ('attach' in source) {
        const attachment = source.attach({
          send: (events) => {
            if (ended.signal.aborted) return false;
            for (const event of events) controller.enqueue(frameOf(event, name).bytes);
            if (isReady()) return true;
            resume = () => attachment.resume();
            return false;
          },
          end: stop,
        });
        leave = () => attachment.leave();
        return;
      }
      const events = source.open(ended.signal)[Symbol.asyncIterator]();
      leave = () => void events.return?.();
      pull = async () => {
        try {
          const { value, done } = await events.next();
          if (ended.signal.aborted) return;
          if (done === true) stop();
          else controller.enqueue(frameOf(value, name).bytes);
        } catch (error) {
          stop(error);
        }
      };
    },
    pull: async () => {
      const resumed = resume;
      resume = undefined;
      resumed?.();
      await pull();
    },
    cancel: () => {
      end();
    },
  });
}

function nameOf(source: EventSource<unknown>): string | undefined {
  return 'eventName' in source ? source.eventName : provisioningEventName;
}

function frameOf({ sequence, event }: NumberedEvent<unknown>, name: string | undefined): Frame {
  const head = name === undefined ? '' : `event: ${name}\n`;
  return createFrame(`${head}data: ${JSON.stringify(toWire(event))}\nid: ${sequence}\n\n`);
}
