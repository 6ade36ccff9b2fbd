import { delay } from './abortable.ts';
import { isOciError, type OciError } from './error.ts';

/** Options of {@link withRetry}. */
export interface RetryOptions {
  /** Attempts after the first one. */
  readonly retries: number;
  /** Longest pause before the first retry, in milliseconds; doubles with each. */
  readonly delayMilliseconds: number;
  readonly signal?: AbortSignal | undefined;
}

/** Longest pause that a registry may ask for. */
const maximumPause = 60_000;

/** Repeats what failed with a retryable error, after a random part of a growing pause. */
export async function withRetry<T>(operation: () => Promise<T>, options: RetryOptions): Promise<T> {
  const { retries, signal } = options;
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await operation();
    } catch (error) {
      signal?.throwIfAborted();
      if (attempt >= retries || !isOciError(error) || !error.retryable) throw error;
      await delay(pauseBefore(attempt, error, options), signal);
    }
  }
}

/** How long to wait after a failed attempt: what the registry asked for, or a random part of a growing pause. */
export function pauseBefore(attempt: number, error: OciError, { delayMilliseconds }: RetryOptions): number {
  // Random, so that several blobs that failed together do not come back together.
  const pause = error.retryAfterMilliseconds ?? delayMilliseconds * 2 ** attempt * (0.5 + Math.random() / 2);
  return Math.min(pause, maximumPause);
}
