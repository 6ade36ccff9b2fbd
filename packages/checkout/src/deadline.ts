import { CheckoutError, type CheckoutErrorFacts } from './checkout-error.ts';

/** When to give up. */
export interface Deadline {
  /** What is waited for, for the message. */
  readonly what: string;
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
  /** Asked when it is over. */
  readonly facts: () => CheckoutErrorFacts;
}

/** The most that a timer can wait; more would fire at once. */
const longestTimerMs = 2_147_483_647;

/**
 * Runs `work` until the deadline. Its signal fires when the deadline is over, and when `work` is, so that nothing that
 * it started goes on.
 *
 * @throws {@link CheckoutError} `SP_CHECKOUT_TIMEOUT`, `SP_CHECKOUT_ABORTED`
 */
export async function withDeadline<T>(deadline: Deadline, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const { what, timeoutMs, signal, facts } = deadline;
  const controller = new AbortController();
  const stopped = new Promise<never>((_, reject) => {
    controller.signal.addEventListener('abort', () => reject(controller.signal.reason as Error), { once: true });
  });
  // After the work is done, nobody listens to this any more.
  stopped.catch(() => undefined);
  const abort = (): void =>
    controller.abort(new CheckoutError('SP_CHECKOUT_ABORTED', `Gave up waiting for ${what}: aborted`, facts()));
  const seconds = timeoutMs / 1000;
  const timer = setTimeout(
    () => {
      const message = `Gave up waiting for ${what}: nothing within ${seconds} seconds`;
      controller.abort(new CheckoutError('SP_CHECKOUT_TIMEOUT', message, { ...facts(), seconds }));
    },
    Math.min(timeoutMs, longestTimerMs),
  );
  signal?.addEventListener('abort', abort, { once: true });
  if (signal?.aborted) abort();
  try {
    controller.signal.throwIfAborted();
    return await Promise.race([stopped, work(controller.signal)]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', abort);
    controller.abort();
  }
}
