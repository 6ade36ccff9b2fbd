import { EventSource } from 'eventsource';
import * as z from 'zod/mini';
import type { Endpoint } from './contract/endpoint.ts';
import { provisioningEventName } from './contract/events.ts';
import type { CloudApiError } from './errors.ts';
import { errorOfFailure, errorOfResponse, parseJson } from './failure.ts';
import type { Transport } from './transport.ts';
import { fromWire } from './wire.ts';

/** How to follow a stream. */
export interface EventStreamOptions {
  readonly signal?: AbortSignal | undefined;
  /** Number of the last event already seen; the stream goes on after it. @defaultValue from the beginning */
  readonly lastEventId?: string | undefined;
  /** Waits between attempts to reconnect, in ms; after the last one the stream fails. @defaultValue 0.5 to 8 s, six attempts */
  readonly reconnectDelays?: readonly number[] | undefined;
}

const defaultDelays = [500, 1_000, 2_000, 4_000, 8_000, 8_000];

type Item<T> = { event: T; id: string } | { failure: CloudApiError };

/**
 * Follows an event stream until a terminal event: reconnects after the last event seen, survives cut connections and a
 * server that is briefly away, leaves out events seen before. Ends when the consumer stops or `signal` fires.
 */
export async function* followEvents<T extends { readonly eventType: string }>(
  transport: Transport,
  endpoint: Endpoint,
  params: Readonly<Record<string, string>>,
  options: EventStreamOptions & { readonly isTerminal: (event: T) => boolean },
): AsyncGenerator<T, void, undefined> {
  const { signal, isTerminal, reconnectDelays = defaultDelays } = options;
  const what = `GET ${endpoint.path}`;
  let lastEventId = options.lastEventId ?? '';
  for (let attempt = 0; ; attempt += 1) {
    const failure = yield* oneConnection();
    if (failure === 'ended') return;
    const delay = reconnectDelays[attempt];
    if (!failure.retryable || delay === undefined) throw failure;
    await pause(delay, what, signal);
  }

  async function* oneConnection(): AsyncGenerator<T, 'ended' | CloudApiError, undefined> {
    if (signal?.aborted === true) throw errorOfFailure(undefined, what, transport.baseUrl, signal);
    const connection = openConnection<T>(transport, endpoint, params, what, lastEventId);
    const abort = (): void => connection.fail(errorOfFailure(undefined, what, transport.baseUrl, signal));
    signal?.addEventListener('abort', abort, { once: true });
    try {
      for (;;) {
        const item = await connection.next();
        if ('failure' in item) return item.failure;
        if (item.id !== '' && isSeen(item.id, lastEventId)) continue;
        lastEventId = item.id;
        yield item.event;
        if (isTerminal(item.event)) return 'ended';
      }
    } finally {
      signal?.removeEventListener('abort', abort);
      connection.close();
    }
  }
}

function openConnection<T>(
  transport: Transport,
  endpoint: Endpoint,
  params: Readonly<Record<string, string>>,
  what: string,
  lastEventId: string,
): { next(): Promise<Item<T>>; fail(error: CloudApiError): void; close(): void } {
  const items: Item<T>[] = [];
  let wake: (() => void) | undefined;
  const push = (item: Item<T>): void => {
    items.push(item);
    wake?.();
  };
  let refusal: CloudApiError | undefined;
  const source = new EventSource(transport.url(endpoint, params), {
    fetch: async (url, init) => {
      const headers: Record<string, string> = { ...(init.headers as Record<string, string>) };
      if (lastEventId !== '') headers['Last-Event-ID'] ??= lastEventId;
      try {
        const response = await transport.fetch(String(url), {
          method: 'GET',
          headers,
          ...(init.signal ? { signal: init.signal as AbortSignal } : {}),
          auth: endpoint.auth,
        });
        if (response.status !== 200) refusal = await errorOfResponse(response.clone(), what);
        return response;
      } catch (error) {
        refusal = errorOfFailure(error, what, new URL(transport.baseUrl).origin);
        throw error;
      }
    },
  });
  const receive = (message: MessageEvent): void => {
    const parsed = z.safeParse(endpoint.response as z.ZodMiniType, fromWire(parseJson(String(message.data))));
    // An event that this version cannot read is left out, so that a newer server does not break it.
    if (parsed.success) push({ event: parsed.data as T, id: message.lastEventId });
  };
  source.addEventListener(provisioningEventName, receive);
  source.addEventListener('message', receive);
  source.addEventListener('error', () => {
    // Without a refusal the stream just ended, and the source reconnects by itself after the last event.
    if (refusal !== undefined) push({ failure: refusal });
  });
  return {
    next: async () => {
      while (items.length === 0) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      return items.shift() as Item<T>;
    },
    fail: (error) => push({ failure: error }),
    close: () => source.close(),
  };
}

/** Sequence numbers grow; anything else is compared as it is. */
function isSeen(id: string, last: string): boolean {
  return /^\d+$/.test(id) && /^\d+$/.test(last) ? Number(id) <= Number(last) : id === last;
}

async function pause(ms: number, what: string, signal: AbortSignal | undefined): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const abort = (): void => {
      clearTimeout(timer);
      reject(errorOfFailure(undefined, what, '', signal));
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', abort);
      resolve();
    }, ms);
    signal?.addEventListener('abort', abort, { once: true });
  });
}
