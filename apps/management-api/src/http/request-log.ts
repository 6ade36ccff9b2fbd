import type { Logger } from 'pino';
import type { Metrics } from '../metrics/metrics.ts';

/** A request that was answered. */
export interface AnsweredRequest {
  readonly requestId: string;
  readonly method: string;
  /** The pattern and not the address, which can hold a one-time token. */
  readonly route: string;
  readonly status: number;
  readonly userId: string | undefined;
  readonly address: string | undefined;
  /** When it came, by `performance.now`. */
  readonly started: number;
}

/** Writes the one line of a request, and counts it. */
export function createRequestLog(deps: {
  readonly logger: Logger;
  readonly metrics: Pick<Metrics, 'observeRequest'> | undefined;
}): (request: AnsweredRequest) => void {
  const { logger, metrics } = deps;
  return ({ requestId, method, route, status, userId, address, started }) => {
    const ms = performance.now() - started;
    metrics?.observeRequest({ method: knownMethod(method), route, status, seconds: ms / 1000 });
    logger.info({ requestId, method, route, status, userId, address, ms: Math.round(ms) }, 'request');
  };
}

const methods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

/** Methods are the client's words: a label for each would let anybody fill the memory. */
function knownMethod(method: string): string {
  return methods.has(method) ? method : 'other';
}
