import { createServer } from 'node:http';
import { setTimeout as delay, setImmediate as turn } from 'node:timers/promises';
import { answerRequest } from './answer-request.ts';
import { type CallbackHandler, createCallbacks } from './callbacks.ts';
import { trackConnections } from './connections.ts';
import { listen } from './listen.ts';
import { LoopbackError } from './loopback-error.ts';
import type { LoopbackPage, LoopbackReply, LoopbackRoute } from './loopback-reply.ts';
import { renderPage } from './render-page.ts';

/** Where a listener listens and what it answers besides the callback. */
export interface LoopbackOptions {
  /**
   * The port; 0 takes any free one.
   *
   * @defaultValue 0
   */
  readonly port?: number | undefined;
  /** The path that the callback comes to; any other is 404. @defaultValue '/callback' */
  readonly path?: string | undefined;
  /** Extra GET routes by path. A key that ends in `/` also gets every path below it. */
  readonly routes?: Readonly<Record<string, LoopbackRoute>> | undefined;
  /**
   * How long to go on answering after the result, in milliseconds, for pages that ask an extra route. This does not
   * keep the program running; `close` ends it.
   *
   * @defaultValue 0
   */
  readonly lingerMs?: number | undefined;
  /** What callbacks after the result are shown. The default says that nobody waits for it. */
  readonly answeredPage?: LoopbackPage | undefined;
}

/** How long to wait. */
export interface WaitOptions {
  /** How long to wait, in milliseconds. @defaultValue 300_000 */
  readonly timeoutMs?: number | undefined;
  /** Ends the wait with `SP_LOOPBACK_ABORTED`. */
  readonly signal?: AbortSignal | undefined;
}

/** A listener that is bound and holds callbacks until somebody waits for them. */
export interface LoopbackListener {
  /** The callback's address, for instance `http://127.0.0.1:49152/callback`. */
  readonly url: string;
  /** The port that it listens on, also when any free one was asked for. */
  readonly port: number;
  /**
   * Gives every callback to `handle`, one at a time, until a reply is `done`; then, when the page is on its way, its
   * value is returned or its error thrown and the listener closes. What `handle` throws also ends the wait. Once only.
   *
   * @throws {LoopbackError} `SP_LOOPBACK_TIMEOUT`, `SP_LOOPBACK_ABORTED`, `SP_LOOPBACK_CLOSED`
   */
  wait<T>(
    handle: (query: URLSearchParams) => LoopbackReply<T> | Promise<LoopbackReply<T>>,
    options?: WaitOptions,
  ): Promise<T>;
  /** Stops listening and ends a wait with `SP_LOOPBACK_CLOSED`. Repeating it is harmless. */
  close(): Promise<void>;
  /** The same as `close`. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** Callbacks that came together with the one that ended the wait get their page; a reset would look like a failure. */
const crowdMs = 50;

/** On a busy computer the time may be over before all were let in: each turn of the event loop accepts one connection. */
async function letCrowdIn(): Promise<void> {
  await delay(crowdMs);
  for (let turns = 0; turns < 50; turns += 1) await turn();
}

/** The most that a timer can wait; more would fire at once. */
const longestTimerMs = 2_147_483_647;

/**
 * Starts listening on 127.0.0.1.
 *
 * @throws {LoopbackError} `SP_LOOPBACK_PORT_BUSY`, `SP_LOOPBACK_LISTEN_FAILED`
 * @example
 * await using listener = await createLoopback();
 * console.log(listener.url);
 * const code = await listener.wait((query) => ({ page: '<h1>Thanks</h1>', done: true, value: query.get('code') }));
 */
export async function createLoopback(options: LoopbackOptions = {}): Promise<LoopbackListener> {
  const { path = '/callback', routes = {}, lingerMs = 0, answeredPage = renderAnsweredPage() } = options;
  const callbacks = createCallbacks(answeredPage);
  const server = createServer();
  const connections = trackConnections(server);
  const port = await listen(server, options.port ?? 0);
  const targets = { port, callbackPath: path, routes, answerCallback: callbacks.answer };
  server.on('request', (request, response) => {
    // What a handler or route gave was no reply at all: one request fails, not the program.
    answerRequest(request, response, targets).catch(() => response.destroy());
  });
  server.on('error', (cause) => {
    callbacks.finish(
      new LoopbackError('SP_LOOPBACK_LISTEN_FAILED', `Stopped listening: port ${port}`, { port, cause }),
    );
  });
  let waited = false;
  let lingerTimer: NodeJS.Timeout | undefined;

  async function close(): Promise<void> {
    clearTimeout(lingerTimer);
    callbacks.finish(new LoopbackError('SP_LOOPBACK_CLOSED', `Listener on port ${port} is closed`, { port }));
    await connections.close();
  }

  function linger(): void {
    server.unref();
    lingerTimer = setTimeout(() => void close(), Math.min(lingerMs, longestTimerMs)).unref();
  }

  async function wait<T>(handle: CallbackHandler, options: WaitOptions = {}): Promise<T> {
    const { timeoutMs = 300_000, signal } = options;
    if (waited) throw new LoopbackError('SP_LOOPBACK_CLOSED', `Listener on port ${port} was waited for`, { port });
    waited = true;
    const seconds = timeoutMs / 1000;
    const timeout = new LoopbackError('SP_LOOPBACK_TIMEOUT', `No callback within ${seconds} seconds`, {
      port,
      seconds,
    });
    const timer = setTimeout(() => callbacks.finish(timeout), Math.min(timeoutMs, longestTimerMs));
    const abort = (): void => {
      callbacks.finish(new LoopbackError('SP_LOOPBACK_ABORTED', 'Gave up waiting for the callback: aborted', { port }));
    };
    if (signal?.aborted) abort();
    signal?.addEventListener('abort', abort, { once: true });
    callbacks.start(handle);
    const outcome = await callbacks.outcome;
    clearTimeout(timer);
    signal?.removeEventListener('abort', abort);
    if (lingerMs > 0 && outcome.answered) {
      linger();
    } else {
      if (outcome.answered) await letCrowdIn();
      await close();
    }
    if ('error' in outcome) throw outcome.error;
    return outcome.value as T;
  }

  return { url: `http://127.0.0.1:${port}${path}`, port, wait, close, [Symbol.asyncDispose]: close };
}

function renderAnsweredPage(): LoopbackPage {
  return renderPage({
    title: 'Nothing more to do',
    heading: 'Nothing more to do',
    message: 'This request was answered before, or nobody waits for it any more. You can close this tab.',
    tone: 'error',
  });
}
