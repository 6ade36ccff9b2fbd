import ky, { HTTPError, type KyInstance } from 'ky';
import * as z from 'zod/mini';
import type { Endpoint } from './contract/endpoint.ts';
import { resolveEnvironment } from './environment.ts';
import { CloudApiError } from './errors.ts';
import { errorOfFailure, errorOfResponse, parseJson } from './failure.ts';
import type { CloudApiClientOptions } from './options.ts';
import { fromWire, toWire } from './wire.ts';

/** One call of an endpoint. */
export interface Call {
  readonly params?: Readonly<Record<string, string>> | undefined;
  readonly query?: object | undefined;
  readonly body?: object | undefined;
  /** Milliseconds for the whole call. */
  readonly timeout?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Sends requests of the contract. */
export interface Transport {
  readonly baseUrl: string;
  call(endpoint: Endpoint, call: Call): Promise<unknown>;
  url(endpoint: Endpoint, params?: Readonly<Record<string, string>>): string;
  /** `fetch` with this client's headers, for streams. */
  fetch(url: string, init: RequestInit & { auth: Endpoint['auth'] }): Promise<Response>;
}

export function createTransport(options: CloudApiClientOptions): Transport {
  const { environment = 'production', token, fetch = globalThis.fetch, timeout = 30_000, retry = 2 } = options;
  const baseUrl = resolveEnvironment(environment);

  const headersFor = async (auth: Endpoint['auth']): Promise<Record<string, string>> => ({
    ...(options.userAgent === undefined ? {} : { 'user-agent': options.userAgent }),
    ...(auth === 'bearer' && token !== undefined
      ? { authorization: `Bearer ${typeof token === 'function' ? await token() : token}` }
      : {}),
  });

  const client: KyInstance = ky.create({
    fetch,
    retry: {
      limit: retry,
      methods: ['get', 'put', 'post', 'delete', 'patch'],
      statusCodes: [429, 502, 503, 504],
      backoffLimit: 5_000,
      jitter: true,
    },
  });

  const url = (endpoint: Endpoint, params: Readonly<Record<string, string>> = {}): string =>
    baseUrl + endpoint.path.replace(/\{(\w+)\}/g, (_, name: string) => pathSegment(name, params[name]));

  const send = async (endpoint: Endpoint, call: Call): Promise<Response> => {
    const query = Object.entries((toWire(call.query ?? {}) ?? {}) as Record<string, string>);
    return client(url(endpoint, call.params), {
      method: endpoint.method,
      headers: { accept: 'application/json', ...(await headersFor(endpoint.auth)) },
      timeout: call.timeout ?? timeout,
      ...(query.length === 0 ? {} : { searchParams: query }),
      ...(call.body === undefined ? {} : { json: toWire(call.body) }),
      ...(call.signal === undefined ? {} : { signal: call.signal }),
      ...(endpoint.idempotent ? {} : { retry: 0 }),
    });
  };

  return {
    baseUrl,
    url,
    fetch: async (target, { auth, headers, ...init }) => {
      const own = await headersFor(auth);
      return fetch(target, { ...init, headers: { ...(headers as Record<string, string>), ...own } });
    },
    call: async (endpoint, call) => {
      const what = `${endpoint.method} ${endpoint.path}`;
      try {
        let response: Response;
        try {
          response = await send(endpoint, call);
        } catch (error) {
          // A token function may know a newer token by now: ask it once more before giving up.
          const stale = error instanceof HTTPError && error.response.status === 401 && endpoint.auth === 'bearer';
          if (!stale || typeof token !== 'function') throw error;
          response = await send(endpoint, call);
        }
        return endpoint.response === undefined ? undefined : await readPayload(response, endpoint, what);
      } catch (error) {
        if (error instanceof HTTPError) throw await errorOfResponse(error.response, what);
        throw errorOfFailure(error, what, new URL(baseUrl).origin, call.signal);
      }
    },
  };
}

async function readPayload(response: Response, endpoint: Endpoint, what: string): Promise<unknown> {
  const body = fromWire(parseJson(await response.text()));
  const payload = endpoint.envelope === 'data' ? (body as { data?: unknown } | undefined)?.data : body;
  const result = z.safeParse(endpoint.response as z.ZodMiniType, payload);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw new CloudApiError({
    code: 'SP_API_INVALID_RESPONSE',
    message: `${what} was answered with unexpected content at \`${issue?.path.join('.') || 'the top'}\``,
    status: response.status,
    requestId: response.headers.get('x-request-id') ?? undefined,
  });
}

/** One encoded path segment. Dots alone would climb to another endpoint, so they are refused. */
function pathSegment(name: string, value: string | undefined): string {
  if (value === undefined || value === '' || value === '.' || value === '..') {
    throw new CloudApiError({
      code: 'SP_API_INVALID_REQUEST',
      message: `\`${name}\` must be a non-empty path segment, got ${JSON.stringify(value)}`,
    });
  }
  return encodeURIComponent(value);
}
