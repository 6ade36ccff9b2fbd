import type { Endpoint } from './contract/endpoint.ts';
import type { CloudApiError } from './errors.ts';
import { openConnection } from './event-connection.ts';
import { errorOfFailure } from './failure.ts';
import { onAbort } from './on-abort.ts';
import { pause } from './pause.ts';
import { parseRetryAfter } from './retry-after.ts';
import type { Transport } from './transport.ts';

/** How to follow a stream. */
export interface EventStreamOptions {
  /** Ends the stream at once with `SP_API_ABORTED`. */
  readonly signal?: AbortSignal | undefined;
  /** Number of the last event already seen; the stream goes on after it. @defaultValue from the beginning */
  readonly lastEventId?: string | undefined;
  /**
   * Waits between attempts to reconnect, in ms, counted anew after each sign of life; after the last one the stream
   * fails. @defaultValue 0.5 to 8 s, six attempts
   */
  readonly reconnectDelays?: readonly number[] | undefined;
  /** How long a stream may be without a sign of life before it is given up, in ms. @defaultValue 45000 */
  readonly silence?: number | undefined;
  /** Pause between looks at the tenant's status where no stream is to be had, in ms. @defaultValue 2000 */
  readonly pollInterval?: number | undefined;
}

/** What a stream of one resource needs to know. */
export interface EventSourceOptions<T> extends EventStreamOptions {
  /** Whether an event is the stream's last. */
  readonly isTerminal: (event: T) => boolean;
  /** What the resource's status now says as an event; for servers and proxies that give no stream. */
  readonly look: (signal: AbortSignal, last: T | undefined) => Promise<T | undefined>;
}

/** However long a server asks to be left alone, a follower looks once a minute. */
const longestPause = 60_000;

const defaultDelays = [500, 1_000, 2_000, 4_000, 8_000, 8_000];
const stopped = Symbol('stopped');

/**
 * Follows an event stream until a terminal event: reconnects after the last event seen, survives cut connections and a
 * server that is briefly away, leaves out events seen before, and looks at the status from time to time where there is
 * no stream. Ends when the consumer stops or a signal fires; then nothing of it is left.
 */
export function followEvents<T extends { readonly eventType: string }>(
  transport: Transport,
  endpoint: Endpoint,
  params: Readonly<Record<string, string>>,
  options: EventSourceOptions<T>,
): AsyncIterable<T> {
  return {
    [Symbol.asyncIterator]: () => {
      const controller = new AbortController();
      const release = onAbort([options.signal, transport.signal], (reason) => controller.abort(reason));
      const generator = follow(transport, endpoint, params, { ...options, signal: controller.signal, release });
      return {
        next: () => generator.next(),
        // A generator that waits hears `return` only afterwards: the signal is what ends the waiting.
        return: () => {
          controller.abort(stopped);
          release();
          return generator.return();
        },
      };
    },
  };
}

async function* follow<T extends { readonly eventType: string }>(
  transport: Transport,
  endpoint: Endpoint,
  params: Readonly<Record<string, string>>,
  options: EventSourceOptions<T> & { readonly signal: AbortSignal; readonly release: () => void },
): AsyncGenerator<T, void, undefined> {
  const { signal, release, isTerminal, look } = options;
  const { reconnectDelays = defaultDelays, silence = 45_000, pollInterval = 2_000 } = options;
  const what = `GET ${endpoint.path}`;
  const shown = new Set<string>();
  let lastEventId = options.lastEventId ?? '';
  let last: T | undefined;
  let attempt = 0;
  let thrown: End['thrown'];
  try {
    for (;;) {
      const end = yield* oneConnection();
      if (end === undefined) return;
      const delay = reconnectDelays[attempt];
      if (end.thrown !== undefined) {
        thrown = end.thrown;
        throw thrown.error;
      }
      if (end.streamless) return yield* polling();
      if (!end.failure.retryable || delay === undefined) throw end.failure;
      attempt += 1;
      const asked = end.retryAfter === undefined ? undefined : parseRetryAfter(end.retryAfter);
      await pause(Math.min(asked ?? delay, longestPause), signal);
    }
  } catch (error) {
    if (signal.reason === stopped) return;
    if (thrown !== undefined) throw thrown.error;
    throw errorOfFailure(error, what, transport.baseUrl, signal);
  } finally {
    release();
  }

  async function* oneConnection(): AsyncGenerator<T, End | undefined, undefined> {
    signal.throwIfAborted();
    const connection = openConnection<T>(transport, { endpoint, params, lastEventId, silence, attempt: attempt + 1 });
    const abort = (): void => connection.stop();
    signal.addEventListener('abort', abort, { once: true });
    try {
      for (;;) {
        const item = await connection.next();
        signal.throwIfAborted();
        if ('end' in item) return item.end;
        attempt = 0;
        if (item.event === undefined || (item.id !== '' && isSeen(item.id, lastEventId))) continue;
        lastEventId = item.id;
        last = item.event;
        shown.add(item.event.eventType);
        yield item.event;
        if (isTerminal(item.event)) return undefined;
      }
    } finally {
      signal.removeEventListener('abort', abort);
      connection.stop();
    }
  }

  async function* polling(): AsyncGenerator<T, void, undefined> {
    for (let failures = 0; ; ) {
      const event = await look(signal, last).then(
        (found) => {
          failures = 0;
          return found;
        },
        (error: CloudApiError) => {
          failures += 1;
          if (signal.aborted || !error.retryable || failures > reconnectDelays.length) throw error;
          return undefined;
        },
      );
      if (event !== undefined && !shown.has(event.eventType)) {
        last = event;
        shown.add(event.eventType);
        yield event;
        if (isTerminal(event)) return;
      }
      await pause(pollInterval, signal);
    }
  }
}

/** How a connection ended when it was not the end of the stream. */
export interface End {
  readonly failure: CloudApiError;
  /** There is no stream here: not now, and not after another attempt. */
  readonly streamless: boolean;
  /** What the caller's token function threw. */
  readonly thrown?: { readonly error: unknown } | undefined;
  /** When the server wants to be asked again. */
  readonly retryAfter?: string | undefined;
}

/** Sequence numbers grow; anything else is compared as it is. */
function isSeen(id: string, last: string): boolean {
  return /^\d+$/.test(id) && /^\d+$/.test(last) ? Number(id) <= Number(last) : id === last;
}
