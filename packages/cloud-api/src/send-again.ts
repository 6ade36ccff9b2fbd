import ky, { HTTPError } from 'ky';
import type { Deadline } from './deadline.ts';
import { mayPass, type Outcome, type RepeatOptions, type Send } from './repeat.ts';
import { parseRetryAfter } from './retry-after.ts';

const longestDelay = 5_000;
const statusCodes = [409, 429, 502, 503, 504];

/**
 * Goes on after a first outcome that may pass: ky decides when (`Retry-After` in seconds or as a date, else growing
 * delays, less a random part, so that many clients do not come back at once).
 */
export async function sendAgain(
  send: Send,
  { first, limit, deadline }: RepeatOptions & { readonly first: Outcome },
): Promise<Response> {
  let attempt = 0;
  let last = first;
  try {
    // What is sent, and with which token, is decided anew for each attempt; ky's own request only says when.
    return await ky('http://again.invalid', {
      fetch: async () => {
        attempt += 1;
        if (attempt > 1) {
          // Nobody reads the answer before: it would keep its connection.
          if ('response' in last) await last.response.body?.cancel().catch(() => undefined);
          last = { response: await send(attempt) };
        } else if ('error' in first) throw first.error;
        return (last as { readonly response: Response }).response;
      },
      // The call's deadline covers the answer's body, too, which ky's timeout does not.
      timeout: false,
      signal: deadline.signal,
      retry: {
        limit,
        statusCodes,
        afterStatusCodes: statusCodes,
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
  if (!mayPass(error instanceof HTTPError ? { response: error.response } : { error })) return false;
  const asked = error instanceof HTTPError ? error.response.headers.get('retry-after') : null;
  // Who asks for more patience than there is gets no more requests either.
  return asked !== null && (parseRetryAfter(asked) ?? 0) >= deadline.left() ? false : undefined;
}
