import type { Deadline } from './deadline.ts';
import { CloudApiError } from './errors.ts';
import { load } from './load.ts';

/** How a request is sent again. */
export interface RepeatOptions {
  /** How often at most, after the first time. */
  readonly limit: number;
  readonly deadline: Deadline;
}

/** What came of a request. */
export type Outcome = { readonly response: Response } | { readonly error: unknown };

/** Sends the request; counts from 1. */
export type Send = (attempt: number) => Promise<Response>;

/**
 * Sends a request, and again after 429, 502, 503, 504 or a lost connection. Answers with the last response, whatever its
 * status. Most requests are sent once, so what sends them again is loaded when the first one asks for it.
 */
export async function repeat(send: Send, options: RepeatOptions): Promise<Response> {
  const first = await send(1).then(
    (response) => ({ response }),
    (error: unknown) => ({ error }),
  );
  if (options.limit > 0 && mayPass(first)) {
    // A page that went offline cannot load it: then the first outcome stands.
    const again = await load(() => import('./send-again.ts'), options.deadline.signal).catch(() => undefined);
    options.deadline.signal.throwIfAborted();
    if (again !== undefined) return again.sendAgain(send, { ...options, first });
  }
  if ('error' in first) throw first.error;
  return first.response;
}

/** Whether the same request may fare better later. */
export function mayPass(outcome: Outcome): boolean {
  if ('error' in outcome) return outcome.error instanceof CloudApiError && outcome.error.code === 'SP_API_NETWORK';
  const { status, headers } = outcome.response;
  // 409 with a time: the first request with the same key is still running. Any other conflict stays one.
  return [429, 502, 503, 504].includes(status) || (status === 409 && headers.has('retry-after'));
}
