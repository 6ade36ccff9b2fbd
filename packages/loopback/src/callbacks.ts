import type { ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import type { LoopbackPage, LoopbackReply } from './loopback-reply.ts';
import { renderPage } from './render-page.ts';
import { sendPage } from './send-reply.ts';

/** How the wait ended; `answered` means by the reply to a callback, so that a browser shows a page of ours. */
export type Outcome = { readonly answered: boolean } & ({ readonly value: unknown } | { readonly error: Error });

/** Answers one callback query. */
export type CallbackHandler = (query: URLSearchParams) => LoopbackReply<unknown> | Promise<LoopbackReply<unknown>>;

/** The one shot: callbacks are answered one after the other until one reply ends it, or something else does. */
export interface Callbacks {
  /** Callbacks that come before this are held until it. */
  start(handle: CallbackHandler): void;
  /** Ends the wait from outside; nothing happens when it has ended already. */
  finish(error: Error): void;
  answer(query: URLSearchParams, response: ServerResponse): Promise<void>;
  readonly outcome: Promise<Outcome>;
}

/** A browser that does not read its page must not keep the result from the caller. */
const flushMs = 2000;

/** The state of one listener's callbacks. */
export function createCallbacks(answeredPage: LoopbackPage): Callbacks {
  let handler: CallbackHandler | undefined;
  let over = false;
  let lastTurn: Promise<void> = Promise.resolve();
  let open: () => void = () => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  let settle: (outcome: Outcome) => void = () => undefined;
  const outcome = new Promise<Outcome>((resolve) => {
    settle = resolve;
  });

  async function takeTurn(query: URLSearchParams, response: ServerResponse): Promise<void> {
    await opened;
    // When the time runs out while the handler is busy, the browser is told at once and not after the handler.
    const stopped = outcome.then(() => undefined);
    const reply = over || !handler ? undefined : await Promise.race([callHandler(handler, query), stopped]);
    if (over || !reply) return sendPage(response, answeredPage);
    if (!reply.done) return sendPage(response, reply.page, reply.status);
    over = true;
    await withinTime(sendPage(response, reply.page, reply.status));
    settle('error' in reply ? { answered: true, error: reply.error } : { answered: true, value: reply.value });
  }

  return {
    outcome,
    start(handle) {
      handler = handle;
      open();
    },
    finish(error) {
      if (over) return;
      over = true;
      open();
      settle({ answered: false, error });
    },
    answer(query, response) {
      // In turn, because a reload while the first callback is being handled must not handle its one-time code twice.
      const turn = lastTurn.then(() => takeTurn(query, response));
      lastTurn = turn.catch(() => undefined);
      return turn;
    },
  };
}

async function callHandler(handle: CallbackHandler, query: URLSearchParams): Promise<LoopbackReply<unknown>> {
  try {
    return await handle(query);
  } catch (error) {
    const page = renderPage({
      title: 'Something went wrong',
      heading: 'Something went wrong',
      message: 'The answer could not be handled. You can close this tab and go back to where you started.',
      tone: 'error',
    });
    return { page, status: 500, done: true, error: error instanceof Error ? error : new Error(String(error)) };
  }
}

async function withinTime(sending: Promise<void>): Promise<void> {
  const stop = new AbortController();
  const tooLate = delay(flushMs, undefined, { signal: stop.signal }).catch(() => undefined);
  await Promise.race([sending, tooLate]);
  stop.abort();
}
