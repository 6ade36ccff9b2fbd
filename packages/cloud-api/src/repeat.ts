import ky, { HTTPError } from 'ky';
import type { Deadline } from './deadline.ts';
import { CloudApiError } from './errors.ts';
import { parseRetryAfter } from './retry-after.ts';

/** How a request is sent again. */
export interface RepeatOptions {
  /** How often at most, after the first time. */
  readonly limit: number;
  readonly deadline: Deadline;
}

const longestDelay = 5_000;

/**
 * Sends a request, and again after 429, 502, 503, 504 or a lost connection: ky decides when (`Retry-After` in seconds or
 * as a date, else growing delays, less a random part, so that many clients do not come back at once). Answers with the
 * last response, whatever its status.
 */
export async function repeat(
  url: string,
  send: (attempt: number, signal: AbortSignal) => Promise<Response>,
  { limit, deadline }: RepeatOptions,
): Promise<Response> {
  let attempt = 0;
  try {
    return await ky(url, {
      // What is sent, and with which token, is decided anew for each attempt; ky's own request only says when.
      fetch: (request) => send((attempt += 1), (request as Request).signal),
      // The call's deadline covers the answer's body, too, which ky's timeout does not.
      timeout: false,
      signal: deadline.signal,
      retry: {
        limit,
        statusCodes: [409, 429, 502, 503, 504],
        afterStatusCodes: [409, 429, 502, 503, 504],
        backoffLimit: longestDelay,
        jitter: (delay) => delay * (0.5 + Math.random() / 2),
        shouldRetry: ({ error }) => mayRepeat(error, deadline),
      },
    });
  } catch (error) {
    if (error instanceof HTTPError) return error.response;
    throw error;
  }
}

/** `undefined` leaves the decision to ky. */
function mayRepeat(error: Error, deadline: Deadline): false | undefined {
  if (error instanceof CloudApiError) return error.code === 'SP_API_NETWORK' ? undefined : false;
  if (!(error instanceof HTTPError)) return false;
  const { status, headers } = error.response;
  const asked = headers.get('retry-after');
  // 409 with a time: the first request with the same key is still running. Any other conflict stays one.
  if (asked === null) return status === 409 ? false : undefined;
  // Who asks for more patience than there is gets no more requests either.
  return (parseRetryAfter(asked) ?? 0) >= deadline.left() ? false : undefined;
}
