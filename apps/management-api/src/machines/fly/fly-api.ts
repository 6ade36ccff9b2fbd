import { setMaxListeners } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import type * as z from 'zod/mini';
import type { MachineError } from '../machine-error.ts';
import { answerFailure, connectionFailure, type FlyFacts, flyError } from './fly-failure.ts';
import { createFlyLimiter } from './fly-limiter.ts';

/** Options of {@link createFlyApi}. */
export interface FlyApiOptions {
  /** A token of the organization that the apps are in. */
  readonly token: string;
  readonly fetch: typeof fetch;
  /** How long one request may take, in milliseconds. */
  readonly requestTimeoutMs: number;
  /** How long a call may take with all its repetitions, in milliseconds. */
  readonly deadlineMs: number;
  /** How long something new may be missing from what is read, in milliseconds. */
  readonly settleMs: number;
  /** How many times Fly.io's usual rate limits are allowed. */
  readonly rateFactor: number;
}

/** One call. */
export interface FlyCall<T> extends FlyFacts {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly url: string;
  readonly query?: Readonly<Record<string, string | undefined>> | undefined;
  readonly body?: unknown;
  /** Of the lease that is held. */
  readonly nonce?: string | undefined;
  /** Whom the rate limit is for. @defaultValue the app */
  readonly identifier?: string | undefined;
  readonly answer: z.ZodMiniType<T>;
  /** What 404 means: `fail`, `absent` (the result is `undefined`), or `soon`: it was just made and is waited for. @defaultValue 'fail' */
  readonly missing?: 'fail' | 'absent' | 'soon' | undefined;
  /** How long the answer is waited for beyond the usual, in milliseconds; 408 then means that this time is up. @defaultValue 0 */
  readonly patienceMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Fly.io's HTTP APIs: within the rate limits, repeated where that is safe, with errors that say what they mean. */
export interface FlyApi {
  readonly settleMs: number;
  /** @throws {@link MachineError} `SP_MACHINE_FLY`, `SP_MACHINE_FLY_TOKEN` */
  call<T>(call: FlyCall<T> & { readonly missing: 'absent' }): Promise<T | undefined>;
  call<T>(call: FlyCall<T> & { readonly missing?: 'fail' | 'soon' }): Promise<T>;
}

const firstPauseMs = 250;
const longestPauseMs = 8000;

/** @throws {@link MachineError} `SP_MACHINE_FLY_TOKEN` when the token cannot be one */
export function createFlyApi(options: FlyApiOptions): FlyApi {
  const { token, requestTimeoutMs, deadlineMs, settleMs } = options;
  if (!/^[\x21-\x7e]+$/.test(token)) {
    const facts = { action: 'login', appName: 'all apps', reason: 'the token is empty or has blanks in it' };
    throw flyError('SP_MACHINE_FLY_TOKEN', { ...facts, failureClass: 'permanent' });
  }
  // Macaroons have a scheme of their own.
  const scheme = token.split(',').some((part) => /^(fm1r|fm1a|fm2)_/.test(part)) ? 'FlyV1' : 'Bearer';
  const limiter = createFlyLimiter({ factor: options.rateFactor });

  async function send(call: FlyCall<unknown>, signal: AbortSignal): Promise<Response> {
    const url = new URL(call.url);
    for (const [name, value] of Object.entries(call.query ?? {})) {
      if (value !== undefined) url.searchParams.set(name, value);
    }
    const headers: Record<string, string> = { authorization: `${scheme} ${token}`, accept: 'application/json' };
    if (call.body !== undefined) headers['content-type'] = 'application/json';
    if (call.nonce !== undefined) headers['fly-machine-lease-nonce'] = call.nonce;
    const body = call.body === undefined ? null : JSON.stringify(call.body);
    return await options.fetch(url, { method: call.method, headers, body, signal, redirect: 'error' });
  }

  /** One request; fails with the error to throw when it is not repeated. */
  async function attempt<T>(call: FlyCall<T>, signal: AbortSignal): Promise<{ value: T | undefined } | Failure> {
    // Not `AbortSignal.timeout`: in Node 20 one that only `AbortSignal.any` holds may be collected before it fires.
    const limit = new AbortController();
    const late = new DOMException('no answer in time', 'TimeoutError');
    const timer = setTimeout(() => limit.abort(late), requestTimeoutMs + (call.patienceMs ?? 0));
    const cancel = (): void => limit.abort(signal.reason);
    signal.addEventListener('abort', cancel, { once: true });
    let response: Response;
    let text: string;
    try {
      signal.throwIfAborted();
      response = await send(call, limit.signal);
      text = await response.text();
    } catch (error) {
      signal.throwIfAborted();
      return { error: connectionFailure(call, error) };
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', cancel);
    }
    const { status, ok, headers } = response;
    if (status === 404 && call.missing === 'absent') return { value: undefined };
    const requestId = headers.get('fly-request-id') ?? undefined;
    if (!ok) {
      const error = answerFailure(call, { status, text: text.replaceAll(token, '…'), requestId });
      return { error, afterMs: retryAfterMs(headers) };
    }
    const parsed = call.answer.safeParse(text === '' ? {} : parse(text));
    if (parsed.success) return { value: parsed.data };
    const reason = 'the answer is not what the documentation says';
    const facts = { action: call.action, appName: call.appName, reason, status, requestId };
    return { error: flyError('SP_MACHINE_FLY', { ...facts, failureClass: 'ambiguous' }) };
  }

  async function callApi<T>(call: FlyCall<T>): Promise<T | undefined> {
    const { action, identifier = call.appName, missing = 'fail', patienceMs = 0 } = call;
    const signal = call.signal ?? new AbortController().signal;
    // All workflows share one, and each waits with it: that is no leak.
    setMaxListeners(0, signal);
    const startedAt = performance.now();
    for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
      await limiter.take(action, { identifier, signal });
      const outcome = await attempt(call, signal);
      if (!('error' in outcome)) return outcome.value;
      const { error, afterMs } = outcome;
      // Half of it by chance, so that replicas do not come back together.
      const waitMs = afterMs ?? pauseMs / 2 + (Math.random() * pauseMs) / 2;
      const spentMs = performance.now() - startedAt + waitMs;
      // What a token may see is late for what is new, too.
      const isNew = missing === 'soon' && [401, 404].includes(error.status ?? 0) && spentMs < settleMs;
      if (!isNew && (!isRepeatable(call, error) || spentMs > deadlineMs + patienceMs)) throw error;
      await delay(waitMs, undefined, { signal });
    }
  }

  return { settleMs, call: callApi };
}

interface Failure {
  readonly error: MachineError;
  readonly afterMs?: number | undefined;
}

/** What was not done can be asked for again; what may have been done only when doing it twice changes nothing. */
function isRepeatable({ method, patienceMs = 0 }: FlyCall<unknown>, { failureClass, status }: MachineError): boolean {
  if (status === 408 && patienceMs > 0) return false;
  return failureClass === 'transient' || (failureClass === 'ambiguous' && method !== 'POST' && method !== 'PUT');
}

function retryAfterMs(headers: Headers): number | undefined {
  const seconds = Number(headers.get('retry-after') ?? Number.NaN);
  return Number.isFinite(seconds) && seconds >= 0 ? Math.min(seconds, 60) * 1000 : undefined;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
