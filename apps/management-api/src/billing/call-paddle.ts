import { setTimeout as delay } from 'node:timers/promises';
import { ApiError } from '@paddle/paddle-node-sdk';
import { BillingError } from './billing-error.ts';

/** How patient calls to Paddle are. */
export interface PaddlePatience {
  /** For one answer, in milliseconds. @defaultValue 10000 */
  readonly timeoutMs?: number | undefined;
  /** How often a call is tried. @defaultValue 3 */
  readonly attempts?: number | undefined;
  /** Pause before the second attempt, in milliseconds; each further waits twice as long. @defaultValue 300 */
  readonly retryMs?: number | undefined;
  /** The longest pause that Paddle may ask for before the call is given up, in milliseconds. @defaultValue 5000 */
  readonly longestPauseMs?: number | undefined;
}

/**
 * Makes a call of Paddle's SDK, which by itself waits for ever, tries once and lets errors of all kinds out. Only calls
 * that may be made twice.
 * @throws {BillingError}
 */
export async function callPaddle<T>(
  operation: string,
  work: () => Promise<T>,
  options: PaddlePatience & { readonly signal?: AbortSignal | undefined } = {},
): Promise<T> {
  const { timeoutMs = 10_000, attempts = 3, retryMs = 300, longestPauseMs = 5000, signal } = options;
  for (let attempt = 1; ; attempt += 1) {
    signal?.throwIfAborted();
    try {
      return await withTimeout(work, { timeoutMs, signal });
    } catch (error) {
      signal?.throwIfAborted();
      const failure = describe(operation, error);
      const pause = Math.max((failure.retryAfterSeconds ?? 0) * 1000, retryMs * 2 ** (attempt - 1));
      const again = failure.code === 'SP_BILLING_UNAVAILABLE' || failure.code === 'SP_BILLING_BUSY';
      if (!again || attempt >= attempts || pause > longestPauseMs) throw failure;
      await delay(pause, undefined, signal === undefined ? {} : { signal });
    }
  }
}

class NoAnswer extends Error {}

// The SDK takes no signal: a request that is given up goes on by itself, and nobody looks at its answer.
async function withTimeout<T>(
  work: () => Promise<T>,
  { timeoutMs, signal }: { readonly timeoutMs: number; readonly signal: AbortSignal | undefined },
): Promise<T> {
  const done = new AbortController();
  const any = signal === undefined ? done.signal : AbortSignal.any([done.signal, signal]);
  const tooLate = delay(timeoutMs, undefined, { signal: any, ref: false }).then(() => {
    throw new NoAnswer(`no answer within ${timeoutMs} ms`);
  });
  tooLate.catch(() => {});
  try {
    return await Promise.race([work(), tooLate]);
  } finally {
    done.abort();
  }
}

const keyCodes: ReadonlySet<string> = new Set([
  'authentication_missing',
  'authentication_malformed',
  'invalid_token',
  'paddle_billing_not_enabled',
  'forbidden',
]);

function describe(operation: string, error: unknown): BillingError {
  if (error instanceof BillingError) return error;
  if (error instanceof ApiError) {
    const { code, type, retryAfter } = error;
    // Its own sentence stays out: it repeats what was sent.
    const facts = { operation, reason: code, providerCode: code, retryAfterSeconds: retryAfter ?? undefined };
    if (code === 'too_many_requests') return new BillingError('SP_BILLING_BUSY', facts);
    if (type === 'api_error') return new BillingError('SP_BILLING_UNAVAILABLE', facts);
    if (keyCodes.has(code)) return new BillingError('SP_BILLING_KEY', facts);
    if (code === 'not_found' || code === 'entity_not_found') return new BillingError('SP_BILLING_NOT_FOUND', facts);
    return new BillingError('SP_BILLING_REFUSED', facts);
  }
  if (error instanceof NoAnswer) {
    return new BillingError('SP_BILLING_UNAVAILABLE', { operation, reason: error.message });
  }
  // Something in front of Paddle answered, with a page and not with JSON.
  if (error instanceof SyntaxError) {
    return new BillingError('SP_BILLING_UNAVAILABLE', { operation, reason: 'the answer is not JSON' });
  }
  // Node's words for a connection that could not be made, or broke within the answer.
  if (error instanceof TypeError && (error.message === 'fetch failed' || error.message === 'terminated')) {
    return new BillingError('SP_BILLING_UNAVAILABLE', { operation, reason: systemReason(error) });
  }
  return new BillingError('SP_BILLING_RESPONSE', { operation, reason: 'the answer is not what was expected' });
}

function systemReason(error: Error): string {
  const { cause } = error;
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  return typeof code === 'string' ? `no connection (${code})` : 'no connection';
}
