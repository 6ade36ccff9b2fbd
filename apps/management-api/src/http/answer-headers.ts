import { requestIdHeader } from '@sp/cloud-api/contract';
import { replayedHeader } from './idempotency.ts';

/** Headers of an answer, by lower-case name, while it is made. */
export type AnswerHeaders = Record<string, string>;

/** What every answer has: nobody caches it, and its request can be found in the log. */
export function commonHeaders(requestId: string): AnswerHeaders {
  return { [requestIdHeader]: requestId, 'x-content-type-options': 'nosniff', 'cache-control': 'no-store' };
}

/** The headers that a page of another origin may read. */
export const exposedHeaders = [
  requestIdHeader,
  'etag',
  'retry-after',
  'ratelimit',
  'ratelimit-policy',
  replayedHeader,
] as const;

/** Pages of other origins may use the API with a token of their own; a browser's cookies are never asked for. */
export const crossOriginHeaders: Readonly<AnswerHeaders> = {
  'access-control-allow-origin': '*',
  'access-control-expose-headers': exposedHeaders.join(','),
};
