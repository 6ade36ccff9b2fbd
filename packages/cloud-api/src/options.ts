import type { Environment } from './environment.ts';

/** How a client reaches the Management API. */
export interface CloudApiClientOptions {
  /** @defaultValue 'production' */
  readonly environment?: Environment | undefined;
  /** The access token, or a function that is asked before each call (and once more after a 401). */
  readonly token?: string | (() => string | Promise<string>) | undefined;
  /** @defaultValue globalThis.fetch */
  readonly fetch?: typeof globalThis.fetch | undefined;
  /** Milliseconds that a call may take in all. @defaultValue 30000 */
  readonly timeout?: number | undefined;
  /** How often an idempotent call is repeated after 429, 502, 503, 504 or a lost connection. @defaultValue 2 */
  readonly retry?: number | undefined;
  readonly userAgent?: string | undefined;
}

/** What every call takes besides its data. */
export interface CallOptions {
  /** Stops the call. */
  readonly signal?: AbortSignal | undefined;
}
