import type { Method, PathTemplate } from './contract/endpoint.ts';
import type { Environment } from './environment.ts';
import type { CloudApiErrorCode } from './errors.ts';

/** How a client reaches the Management API. */
export interface CloudApiClientOptions {
  /** Which server: a name, or the URL of any other. @defaultValue 'production' */
  readonly environment?: Environment | undefined;
  /**
   * The access token, or a function that is asked before each call (and once more after a 401). What the function
   * throws is thrown by the call or the stream.
   */
  readonly token?: string | (() => string | Promise<string>) | undefined;
  /** What sends the requests; the seam for tests. @defaultValue globalThis.fetch */
  readonly fetch?: typeof globalThis.fetch | undefined;
  /** Milliseconds that a call may take in all, its repetitions included. @defaultValue 30000 */
  readonly timeout?: number | undefined;
  /**
   * How often a call is repeated after 429, 502, 503, 504 or a lost connection; those that must not happen twice carry
   * an `Idempotency-Key`. @defaultValue 2
   */
  readonly retry?: number | undefined;
  /** Stops every call and every stream of the client. */
  readonly signal?: AbortSignal | undefined;
  /** Sent with each request; a browser may keep its own. */
  readonly userAgent?: string | undefined;
  /** Told of each request when its answer has come, or none will. What it throws is ignored. */
  readonly onRequest?: ((event: RequestEvent) => void) | undefined;
}

/** One request that was sent: nothing of its headers and bodies. */
export interface RequestEvent {
  /** The HTTP method. */
  readonly method: Method;
  /** With placeholders: `/api/v1/tenants/{id}`. */
  readonly path: PathTemplate;
  /** Absent when there was no answer. */
  readonly status?: number | undefined;
  /** Why there was no answer. */
  readonly failure?: CloudApiErrorCode | undefined;
  /** Milliseconds until the answer's headers. */
  readonly duration: number;
  /** Counts from 1 within a call. */
  readonly attempt: number;
  /** The server's name for the request. */
  readonly requestId?: string | undefined;
}

/** What every call takes besides its data. */
export interface CallOptions {
  /** Stops the call. */
  readonly signal?: AbortSignal | undefined;
}

/** What calls take that must not happen twice. */
export interface MutationOptions extends CallOptions {
  /**
   * 1 to 255 visible ASCII characters. The same call with the same key happens once and is answered alike, for a day.
   * @defaultValue random for each call, so that the client's own repetitions are safe
   */
  readonly idempotencyKey?: string | undefined;
}

/** What a change takes besides its data. */
export interface UpdateOptions extends CallOptions {
  /** `version` of the thing as it was read; another one is not changed. */
  readonly ifVersion?: number | undefined;
}
