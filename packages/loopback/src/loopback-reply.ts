import type { RenderedPage } from './render-page.ts';

/** An HTML document. Scripts in it run only with the nonce of {@link RenderedPage}. */
export type LoopbackPage = string | RenderedPage;

/** What the browser is shown for a callback, and whether the wait is over. */
export type LoopbackReply<T> = {
  readonly page: LoopbackPage;
  /** @defaultValue 200 */
  readonly status?: number | undefined;
} & (
  | { readonly done: true; readonly value: T }
  | { readonly done: true; readonly error: Error }
  | { readonly done: false }
);

/** A request to an extra route. */
export interface LoopbackRequest {
  /** The path as the browser sent it: percent-encoded, without the query. */
  readonly path: string;
  /** The query, decoded. */
  readonly query: URLSearchParams;
}

/** The answer of an extra route. */
export interface LoopbackRouteReply {
  /** HTTP status. @defaultValue 200 */
  readonly status?: number | undefined;
  /** The content type, for instance `application/json`. */
  readonly type: string;
  /** The answer's text. */
  readonly body: string;
}

/** Answers GET requests to one path, or to all paths below it. */
export type LoopbackRoute = (request: LoopbackRequest) => Promise<LoopbackRouteReply>;
