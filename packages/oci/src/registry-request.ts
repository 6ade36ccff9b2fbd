import { OciError } from './error.ts';
import { createIdleWatch, type IdleWatch, watched } from './idle-watch.ts';
import type { RegistryAuth } from './registry-auth.ts';
import type { FailureContext } from './registry-failure.ts';
import { networkFailure, responseFailure } from './registry-failure.ts';
import type { Transport, TransportResponse } from './transport.ts';

/** One request to a registry. */
export interface RegistryRequest {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH';
  /** Path at the registry, or an absolute URL that the registry gave. */
  readonly url: string | URL;
  readonly repository: string;
  readonly actions: 'pull' | 'pull,push';
  /** Another repository that is read from in the same request. */
  readonly from?: string | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Makes the body; called again when the request is repeated with a new token or elsewhere. */
  readonly body?: (() => Promise<Uint8Array | ReadableStream<Uint8Array>>) | undefined;
  /** Statuses that are answers; any other is thrown. */
  readonly expected: readonly number[];
  /** Start of the error message: `Cannot push blob …`. */
  readonly attempt: string;
  readonly signal?: AbortSignal | undefined;
}

/** An answer, and where it came from after all redirects. */
export interface RegistryAnswer extends TransportResponse {
  readonly url: URL;
}

/** Sends requests to one registry, with its authentication. */
export type RegistryRequester = (request: RegistryRequest) => Promise<RegistryAnswer>;

/** What requests to one registry share. */
export interface RequesterOptions {
  readonly registry: string;
  readonly origin: string;
  readonly auth: RegistryAuth;
  readonly transport: Transport;
  readonly userAgent?: string | undefined;
  readonly idleTimeoutMilliseconds: number;
}

const maximumRedirects = 5;

export function createRequester(options: RequesterOptions): RegistryRequester {
  const { registry, origin, auth, transport, userAgent, idleTimeoutMilliseconds: milliseconds } = options;

  const contextOf = ({ repository, attempt }: RegistryRequest): FailureContext => {
    return { registry, repository, attempt, redact: auth.redact };
  };

  const attempt = async (
    request: RegistryRequest,
    url: URL,
    authorization: string | undefined,
  ): Promise<TransportResponse> => {
    const { method, headers, signal } = request;
    const watch = createIdleWatch(registry, { milliseconds, signal });
    let body: Awaited<ReturnType<typeof bodyOf>>;
    try {
      body = await bodyOf(request, watch);
      const response = await transport(url, {
        method,
        headers: {
          ...headers,
          ...(userAgent === undefined ? {} : { 'user-agent': userAgent }),
          ...(authorization === undefined ? {} : { authorization }),
        },
        ...(body === undefined ? {} : { body }),
        signal: watch.signal,
      });
      if (response.body === null) watch.end();
      else watch.rest();
      const { status, headers: received } = response;
      return { status, headers: received, body: response.body === null ? null : watched(response.body, watch) };
    } catch (error) {
      watch.end();
      // A connection that never came about has not touched the body, which holds an open file.
      if (body instanceof ReadableStream && !body.locked) await body.cancel();
      signal?.throwIfAborted();
      throw networkFailure(watch.signal.aborted ? watch.signal.reason : error, contextOf(request));
    }
  };

  const authorized = async (request: RegistryRequest, url: URL): Promise<TransportResponse> => {
    const { repository, actions, from, signal } = request;
    // An upload may go to another host, a store behind the registry: that one must not see our credentials.
    if (url.origin !== origin) return attempt(request, url, undefined);
    const scope = `repository:${repository}:${actions}${from === undefined ? '' : ` repository:${from}:pull`}`;
    const used = await auth.header(scope, signal);
    const response = await attempt(request, url, used);
    if (response.status !== 401 || !auth.learn(response.headers.get('www-authenticate'), scope, used)) return response;
    const renewed = await auth.header(scope, signal);
    if (renewed === undefined) return response;
    await response.body?.cancel();
    return attempt(request, url, renewed);
  };

  return async (request) => {
    let url = new URL(request.url, origin);
    for (let redirects = 0; ; redirects += 1) {
      const response = await authorized(request, url);
      if (request.expected.includes(response.status)) return { ...response, url };
      const next = redirectOf(request, response, url);
      if (next === undefined || redirects === maximumRedirects)
        throw await responseFailure(response, contextOf(request));
      await response.body?.cancel();
      if (url.protocol === 'https:' && next.protocol !== 'https:') {
        const message = `${request.attempt} at ${registry}: it redirects to a connection that is not https`;
        throw new OciError('SP_OCI_REGISTRY', message, { registry, repository: request.repository });
      }
      url = next;
    }
  };
}

async function bodyOf(
  { body }: RegistryRequest,
  watch: IdleWatch,
): Promise<Uint8Array | ReadableStream<Uint8Array> | undefined> {
  const content = await body?.();
  return content === undefined || content instanceof Uint8Array ? content : sent(content, watch);
}

/** Each chunk that the connection takes is a sign of life; reading the chunk is not what may take too long. */
function sent(body: ReadableStream<Uint8Array>, watch: IdleWatch): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        watch.alive();
        const next = await reader.read();
        if (next.done) controller.close();
        else controller.enqueue(next.value);
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  );
}

/** Where an answer sends the request. Only the statuses that keep the method may move an upload. */
function redirectOf({ method }: RegistryRequest, response: TransportResponse, from: URL): URL | undefined {
  const reading = method === 'GET' || method === 'HEAD';
  const { status } = response;
  if (status !== 307 && status !== 308 && !(reading && [301, 302, 303].includes(status))) return undefined;
  const location = response.headers.get('location');
  if (location === null || !URL.canParse(location, from.href)) return undefined;
  const url = new URL(location, from.href);
  return url.protocol === 'https:' || url.protocol === 'http:' ? url : undefined;
}
