import { setTimeout as delay } from 'node:timers/promises';
import { mayBeDone } from './fly-failure.ts';

const firstPauseMs = 150;
const longestPauseMs = 1000;
const attempts = 3;

/**
 * Makes something of which there shall be one, and which was not found, at a provider that knows no idempotency keys:
 * looks for it again after a request of which nobody knows whether it was carried out. What is new may be seen late, so
 * that is waited for before the request is repeated.
 */
export async function makeOnce<T>(work: {
  readonly find: () => Promise<T | undefined>;
  readonly make: () => Promise<T>;
  readonly settleMs: number;
  readonly signal?: AbortSignal | undefined;
}): Promise<T> {
  const { find, make, settleMs, signal } = work;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await make();
    } catch (error) {
      signal?.throwIfAborted();
      if (!mayBeDone(error)) throw error;
      const made = await waitUntil(find, { settleMs, signal });
      if (made !== undefined) return made;
      if (attempt === attempts) throw error;
    }
  }
}

/** Looks for something that was just made, from a moment later on, until it is there or the time is up. */
export async function waitUntil<T>(
  find: () => Promise<T | undefined>,
  options: { readonly settleMs: number; readonly signal?: AbortSignal | undefined },
): Promise<T | undefined> {
  const { settleMs, signal } = options;
  const until = performance.now() + settleMs;
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
    await delay(pauseMs, undefined, signal === undefined ? {} : { signal });
    const found = await find();
    if (found !== undefined || performance.now() >= until) return found;
  }
}
