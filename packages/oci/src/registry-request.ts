import type { RegistryAuth } from './registry-auth.ts';
import type { FailureContext } from './registry-failure.ts';
import { networkFailure, responseFailure } from './registry-failure.ts';

/** One request to a registry. */
export interface RegistryRequest {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT';
  /** Path at the registry, or an absolute URL that the registry gave. */
  readonly url: string | URL;
  readonly repository: string;
  readonly actions: 'pull' | 'pull,push';
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Makes the body; called again when the request is repeated with a new token. */
  readonly body?: (() => Promise<Uint8Array | ReadableStream<Uint8Array>>) | undefined;
  /** Statuses that are answers; any other is thrown. */
  readonly expected: readonly number[];
  /** Start of the error message: `Cannot push blob …`. */
  readonly attempt: string;
  readonly signal?: AbortSignal | undefined;
}

/** Sends requests to one registry, with its authentication. */
export type RegistryRequester = (request: RegistryRequest) => Promise<Response>;

/** What requests to one registry share. */
export interface RequesterOptions {
  readonly registry: string;
  readonly origin: string;
  readonly auth: RegistryAuth;
  readonly fetch: typeof fetch;
  readonly userAgent?: string | undefined;
}

export function createRequester(options: RequesterOptions): RegistryRequester {
  const { registry, origin, auth, userAgent } = options;

  const attempt = async (request: RegistryRequest, authorization: string | undefined): Promise<Response> => {
    const { method, url, headers, body, signal } = request;
    const init: RequestInit = { method, signal: signal ?? null };
    init.headers = {
      ...headers,
      ...(userAgent === undefined ? {} : { 'user-agent': userAgent }),
      ...(authorization === undefined ? {} : { authorization }),
    };
    if (body !== undefined) Object.assign(init, { body: await body(), duplex: 'half' });
    try {
      return await options.fetch(new URL(url, origin), init);
    } catch (error) {
      signal?.throwIfAborted();
      throw networkFailure(error, contextOf(request));
    }
  };

  const contextOf = ({ repository, attempt }: RegistryRequest): FailureContext => {
    return { registry, repository, attempt, redact: auth.redact };
  };

  return async (request) => {
    const { repository, actions, signal } = request;
    // An upload may go to another host, a store behind the registry: that one must not see our credentials.
    const ours = new URL(request.url, origin).origin === origin;
    const scope = `repository:${repository}:${actions}`;
    const used = ours ? await auth.header(scope, signal) : undefined;
    let response = await attempt(request, used);
    if (response.status === 401 && ours && auth.learn(response.headers.get('www-authenticate'), scope, used)) {
      const renewed = await auth.header(scope, signal);
      if (renewed !== undefined) {
        await response.body?.cancel();
        response = await attempt(request, renewed);
      }
    }
    if (request.expected.includes(response.status)) return response;
    throw await responseFailure(response, contextOf(request));
  };
}
