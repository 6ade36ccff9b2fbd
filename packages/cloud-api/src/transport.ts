import type { Endpoint } from './contract/endpoint.ts';
import { idempotencyKeyHeader, requestIdHeader } from './contract/errors.ts';
import { createDeadline, type Deadline } from './deadline.ts';
import { resolveEnvironment } from './environment.ts';
import { CloudApiError } from './errors.ts';
import { errorOfFailure, errorOfResponse } from './failure.ts';
import { load } from './load.ts';
import type { CloudApiClientOptions, RequestEvent } from './options.ts';
import { readPayload } from './payload.ts';
import { repeat } from './repeat.ts';
import { endpointPath } from './url.ts';
import { toWire } from './wire.ts';

/** One call of an endpoint. */
export interface Call {
  readonly params?: Readonly<Record<string, string>> | undefined;
  readonly query?: object | undefined;
  readonly body?: object | undefined;
  /** Milliseconds for the whole call. */
  readonly timeout?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly idempotencyKey?: string | undefined;
  readonly ifVersion?: number | undefined;
}

/** Sends requests of the contract. */
export interface Transport {
  readonly baseUrl: string;
  /** Stops everything. */
  readonly signal: AbortSignal | undefined;
  call(endpoint: Endpoint, call: Call): Promise<unknown>;
  /** One request, without repetitions: for streams. */
  open(endpoint: Endpoint, request: StreamRequest): Promise<Response>;
}

/** A request for a stream. */
export interface StreamRequest {
  readonly params: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  readonly attempt: number;
}

interface Attempt {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
  readonly signal: AbortSignal;
  readonly attempt: number;
}

const optionNames = ['environment', 'token', 'fetch', 'timeout', 'retry', 'signal', 'userAgent', 'onRequest'];

export function createTransport(options: CloudApiClientOptions): Transport {
  // A mistyped `environment` would send the token to production.
  const unknown = Object.keys(options).find((name) => !optionNames.includes(name));
  if (unknown !== undefined) throw unfit(`There is no option \`${unknown}\``);
  const { environment = 'production', token, fetch = globalThis.fetch, timeout = 30_000, retry = 2 } = options;
  const { signal: clientSignal, userAgent, onRequest } = options;
  if (!(timeout > 0)) throw unfit('`timeout` must be a number above 0, in milliseconds');
  if (!Number.isInteger(retry) || retry < 0) throw unfit('`retry` must be a whole number from 0');
  if (token === '') throw unfit('`token` is empty');
  const baseUrl = resolveEnvironment(environment);
  const { origin } = new URL(baseUrl);

  async function send(endpoint: Endpoint, request: Attempt): Promise<Response> {
    const { method, path, auth } = endpoint;
    const { url, body, signal } = request;
    const headers: Record<string, string> = { ...request.headers };
    if (userAgent !== undefined) headers['user-agent'] = userAgent;
    if (body !== undefined) headers['content-type'] = 'application/json';
    // What the person who wrote the function throws is theirs, so it is not turned into an error of ours.
    const accessToken =
      auth === 'bearer' && typeof token === 'function' ? await load(async () => token(), signal) : token;
    if (auth === 'bearer' && accessToken !== undefined) headers['authorization'] = `Bearer ${accessToken}`;
    assertFit(headers);
    const tell = onRequest === undefined ? undefined : watch(onRequest, { method, path, attempt: request.attempt });
    try {
      const response = await fetch(url, {
        method,
        headers,
        signal,
        redirect: 'manual',
        ...(body === undefined ? {} : { body }),
      });
      tell?.({ status: response.status, requestId: response.headers.get(requestIdHeader) ?? undefined });
      return response;
    } catch (error) {
      const failure = errorOfFailure(error, `${method} ${path}`, origin, signal);
      tell?.({ failure: failure.code });
      throw failure;
    }
  }

  /** Sends, and once more with a newer token when the server does not take this one. */
  async function sendWithToken(endpoint: Endpoint, request: Attempt): Promise<Response> {
    const response = await send(endpoint, request);
    if (response.status !== 401 || endpoint.auth !== 'bearer' || typeof token !== 'function') return response;
    await response.body?.cancel().catch(() => undefined);
    return send(endpoint, request);
  }

  async function sendUntilAnswered(endpoint: Endpoint, call: Call, deadline: Deadline): Promise<Response> {
    const { signal } = deadline;
    const key = idempotencyKey(endpoint, call);
    const headers: Record<string, string> = { accept: 'application/json' };
    if (key !== undefined) headers[idempotencyKeyHeader] = key;
    if (call.ifVersion !== undefined) headers['if-match'] = `"${call.ifVersion}"`;
    const url = baseUrl + endpointPath(endpoint, call);
    const body = call.body === undefined ? undefined : JSON.stringify(toWire(call.body));
    const limit = endpoint.idempotent || key !== undefined ? retry : 0;
    try {
      return await repeat((attempt) => sendWithToken(endpoint, { url, headers, body, signal, attempt }), {
        limit,
        deadline,
      });
    } catch (error) {
      throw signal.aborted ? errorOfFailure(error, `${endpoint.method} ${endpoint.path}`, origin, signal) : error;
    }
  }

  return {
    baseUrl,
    signal: clientSignal,
    open: (endpoint, { params, ...request }) =>
      sendWithToken(endpoint, { ...request, url: baseUrl + endpointPath(endpoint, { params }) }),
    call: async (endpoint, call) => {
      const what = `${endpoint.method} ${endpoint.path}`;
      const deadline = createDeadline(call.timeout ?? timeout, [call.signal, clientSignal]);
      try {
        const response = await sendUntilAnswered(endpoint, call, deadline);
        if (!response.ok) throw await errorOfResponse(response, what);
        if (endpoint.response !== undefined) return await readPayload(response, { endpoint, what, origin, deadline });
        await response.body?.cancel().catch(() => undefined);
        return undefined;
      } finally {
        deadline.end();
      }
    },
  };
}

/** Something was given that cannot be meant. */
function unfit(message: string): CloudApiError {
  return new CloudApiError({ code: 'SP_API_INVALID_REQUEST', message });
}

/** `fetch` would fail as if the server were not there. */
function assertFit(headers: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(headers)) {
    if (/^[\t\x20-\x7e\x80-\xff]*$/.test(value.trim())) continue;
    throw unfit(`What was given for the header \`${name}\` has characters that no header can hold`);
  }
}

/** Tells `listen` of a request that begins now. */
function watch(
  listen: (event: RequestEvent) => void,
  facts: Pick<RequestEvent, 'method' | 'path' | 'attempt'>,
): (outcome: Pick<RequestEvent, 'status' | 'requestId' | 'failure'>) => void {
  const started = performance.now();
  return (outcome) => {
    try {
      listen({ ...facts, duration: performance.now() - started, ...outcome });
    } catch {
      // Who looks on must not break what is looked at.
    }
  };
}

/** Every call that must not happen twice gets one; without a login the server knows nobody to keep it for. */
function idempotencyKey(endpoint: Endpoint, call: Call): string | undefined {
  if (call.idempotencyKey !== undefined) {
    if (/^[\x21-\x7e]{1,255}$/.test(call.idempotencyKey)) return call.idempotencyKey;
    throw unfit('`idempotencyKey` must have 1 to 255 visible ASCII characters');
  }
  if (endpoint.idempotent || endpoint.method === 'GET' || endpoint.auth !== 'bearer') return undefined;
  // `crypto.randomUUID` is missing on pages that were not loaded over TLS.
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
