import { EventSource } from 'eventsource';
import * as z from 'zod/mini';
import type { Endpoint } from './contract/endpoint.ts';
import { provisioningEventName } from './contract/events.ts';
import { CloudApiError, isCloudApiError } from './errors.ts';
import type { End } from './event-stream.ts';
import { errorOfFailure, errorOfResponse, parseJson } from './failure.ts';
import { longestTimer, pause } from './pause.ts';
import type { Transport } from './transport.ts';
import { fromAnswer } from './wire.ts';

/** An event, a sign of life without one, or the end (without `end`: nothing more will come). */
export type Item<T> = { readonly event: T | undefined; readonly id: string } | { readonly end: End | undefined };

/** One connection to a stream of events. */
export interface EventConnection<T> {
  next(): Promise<Item<T>>;
  /** Closes it; whoever waits for the next item gets the end. */
  stop(): void;
}

/** Statuses of servers and proxies that have no stream at this address. */
const streamless: ReadonlySet<number> = new Set([405, 406, 501]);

/** An event is a few lines. What never ends one must not fill the memory. */
const longestEvent = 16 * 1_048_576;

/** Before the server is asked again, in milliseconds. */
const shortestPause = 100;

/** Header values hold bytes, and a number of an event may be any text: https://html.spec.whatwg.org/#last-event-id */
function inBytes(text: string): string {
  return Array.from(new TextEncoder().encode(text), (byte) => String.fromCharCode(byte)).join('');
}

/** Connects, also again when the server ends the stream; any other end is told. */
export function openConnection<T>(
  transport: Transport,
  request: {
    readonly endpoint: Endpoint;
    readonly params: Readonly<Record<string, string>>;
    readonly lastEventId: string;
    readonly silence: number;
    readonly attempt: number;
  },
): EventConnection<T> {
  const { endpoint, params, lastEventId, silence, attempt } = request;
  const what = `GET ${endpoint.path}`;
  const items: Item<T>[] = [];
  let wake: (() => void) | undefined;
  const push = (item: Item<T>): void => {
    items.push(item);
    wake?.();
  };
  const end = (failure: CloudApiError, facts: Partial<Omit<End, 'failure'>> = {}): void =>
    push({ end: { failure, streamless: false, ...facts } });

  let alive = false;
  let connections = 0;
  let unread = 0;
  const endless = (): CloudApiError => {
    const message = `${what} was answered with ${longestEvent} bytes without an event`;
    const failure = new CloudApiError({ code: 'SP_API_INVALID_RESPONSE', message });
    end(failure);
    return failure;
  };
  let watchdog: ReturnType<typeof setTimeout> | undefined;
  const watch = (): void => {
    clearTimeout(watchdog);
    watchdog = setTimeout(
      () => {
        const message = `${what} was silent for ${silence} ms`;
        // Not one byte: something in between keeps them all until the stream ends.
        end(new CloudApiError({ code: 'SP_API_TIMEOUT', message, retryable: true }), { streamless: !alive });
      },
      Math.min(silence, longestTimer),
    );
  };

  const source = new EventSource('http://events.invalid', {
    fetch: async (_, init) => {
      const headers: Record<string, string> = { ...(init.headers as Record<string, string>) };
      if (lastEventId !== '') headers['Last-Event-ID'] ??= lastEventId;
      const last = headers['Last-Event-ID'];
      if (last !== undefined) headers['Last-Event-ID'] = inBytes(last);
      const signal = init.signal as AbortSignal;
      // A server may ask to be back at once, and end each stream at once.
      if (connections > 0) await pause(shortestPause, signal);
      connections += 1;
      unread = 0;
      watch();
      try {
        const response = await transport.open(endpoint, { params, headers, signal, attempt });
        const verdict = await judge(response, what);
        if (verdict !== undefined) push({ end: verdict === 'over' ? undefined : verdict });
        return observed(response, (size) => {
          alive = true;
          watch();
          unread += size;
          if (unread > longestEvent) throw endless();
          // A sign of life between events; one that nobody has fetched yet is enough.
          if (items.length === 0) push({ event: undefined, id: '' });
        });
      } catch (error) {
        // What is no error of ours is what the caller's token function threw, and theirs.
        if (!signal.aborted) end(asFailure(error), isCloudApiError(error) ? {} : { thrown: { error } });
        throw error;
      }
    },
  });
  const asFailure = (error: unknown): CloudApiError => errorOfFailure(error, what, new URL(transport.baseUrl).origin);
  const receive = (message: MessageEvent): void => {
    unread = 0;
    const parsed = z.safeParse(endpoint.response as z.ZodMiniType, fromAnswer(parseJson(String(message.data))));
    // An event that this version cannot read is left out, so that a newer server does not break it.
    if (parsed.success) push({ event: parsed.data as T, id: message.lastEventId });
  };
  source.addEventListener(provisioningEventName, receive);
  source.addEventListener('message', receive);

  return {
    next: async () => {
      while (items.length === 0) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      return items.shift() as Item<T>;
    },
    stop: () => {
      clearTimeout(watchdog);
      source.close();
      push({ end: undefined });
    },
  };
}

/** What an answer means when it is not a stream. */
async function judge(response: Response, what: string): Promise<End | 'over' | undefined> {
  if (response.status === 204) return 'over';
  const type = response.headers.get('content-type') ?? '';
  if (response.status === 200 && type.startsWith('text/event-stream')) return undefined;
  if (response.ok) {
    await response.body?.cancel();
    const message = `${what} was answered without a stream`;
    const code = 'SP_API_INVALID_RESPONSE';
    return { failure: new CloudApiError({ code, message, status: response.status }), streamless: true };
  }
  const failure = await errorOfResponse(response, what);
  // A 404 that speaks of a tenant is the contract's; any other is of a server that does not know the address.
  const unknown = response.status === 404 && (failure.serverCode === undefined || failure.serverCode === 'not_found');
  return {
    failure,
    streamless: unknown || streamless.has(response.status),
    retryAfter: response.headers.get('retry-after') ?? undefined,
  };
}

/** The answer, with each chunk of it noticed. */
function observed(response: Response, notice: (size: number) => void) {
  const { url, status, redirected, headers } = response;
  const watcher = new TransformStream<Uint8Array, Uint8Array>({
    transform: (chunk, controller) => {
      notice(chunk.length);
      controller.enqueue(chunk);
    },
  });
  const body = response.bodyUsed ? null : (response.body?.pipeThrough(watcher) ?? null);
  return { url, status, redirected, headers, body };
}
