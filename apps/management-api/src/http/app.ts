import { randomUUID } from 'node:crypto';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import { type ApiErrorBody, idempotencyKeyHeader, requestIdHeader, toWire } from '@sp/cloud-api/contract';
import { type Context, Hono } from 'hono';
import { cors } from 'hono/cors';
import { routePath } from 'hono/route';
import type { Logger } from 'pino';
import type { Metrics } from '../metrics/metrics.ts';
import { clientAddress } from './client-address.ts';
import { failureOf } from './failure-of.ts';
import { replayedHeader } from './idempotency.ts';
import { loggableError } from './loggable-error.ts';

/** What every request carries. */
export interface HttpEnvironment {
  Variables: {
    requestId: string;
    /** Where the request came from, where that is known. */
    address: string | undefined;
    userId?: string;
  };
}

/** The application of the API. */
export type HttpApp = Hono<HttpEnvironment>;

/** An application without routes: request ids, the contract's error bodies, and answers that nobody caches. */
export function createHttpApp(deps: {
  readonly logger: Logger;
  /** The header in which the proxy in front tells the client's address. */
  readonly trustedProxyHeader?: string | undefined;
  readonly metrics?: Pick<Metrics, 'observeRequest'> | undefined;
}): HttpApp {
  const { logger, trustedProxyHeader, metrics } = deps;
  const app = new Hono<HttpEnvironment>();

  app.use(async (context, next) => {
    const requestId = `req_${randomUUID()}`;
    const started = performance.now();
    context.set('requestId', requestId);
    const address = clientAddress(context, trustedProxyHeader);
    context.set('address', address);
    // Before the answer is made: afterwards each would make it anew.
    const common = { [requestIdHeader]: requestId, 'x-content-type-options': 'nosniff', 'cache-control': 'no-store' };
    for (const [name, value] of Object.entries(common)) context.header(name, value);
    await next();
    const { headers } = context.res;
    // An answer that was made elsewhere, such as the registry's.
    if (!headers.has(requestIdHeader) && context.res !== RESPONSE_ALREADY_SENT) {
      for (const [name, value] of Object.entries(common)) if (!headers.has(name)) headers.set(name, value);
    }
    const ms = performance.now() - started;
    // The pattern and not the address, which can hold a one-time token.
    const route = routePath(context, -1);
    const { method } = context.req;
    const { status } = context.res;
    metrics?.observeRequest({ method: knownMethod(method), route, status, seconds: ms / 1000 });
    logger.info(
      {
        requestId,
        method,
        route,
        status,
        userId: context.get('userId'),
        address,
        ms: Math.round(ms),
      },
      'request',
    );
  });

  // Pages of other origins may use the API with a token of their own; a browser's cookies are never asked for.
  const exposed = [requestIdHeader, 'etag', 'retry-after', 'ratelimit', 'ratelimit-policy', replayedHeader];
  const preflight = cors({
    origin: '*',
    allowMethods: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'],
    allowHeaders: ['authorization', 'content-type', idempotencyKeyHeader, 'if-match', 'last-event-id', 'user-agent'],
    exposeHeaders: exposed,
    maxAge: 600,
  });
  app.use('/api/v1/*', async (context, next) => {
    if (context.req.method === 'OPTIONS') return await preflight(context, next);
    context.header('access-control-allow-origin', '*');
    context.header('access-control-expose-headers', exposed.join(','));
    return await next();
  });

  app.notFound((context) => context.json(errorBody('not_found', 'There is nothing at this address.', context), 404));

  app.onError((error, context) => {
    const failure = failureOf(error);
    if (failure.status >= 500) {
      logger.error({ requestId: context.get('requestId'), err: loggableError(error) }, 'request failed');
    }
    // Not with the answer: headers that were set on the way, such as those of another limit, would win over them.
    for (const [name, value] of Object.entries(failure.headers)) context.header(name, value);
    return context.json(errorBody(failure.code, failure.message, context), failure.status);
  });

  return app;
}

/** Methods are the client's words: a label for each would let anybody fill the memory. */
function knownMethod(method: string): string {
  return ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'].includes(method) ? method : 'other';
}

function errorBody(code: string, message: string, context: Context<HttpEnvironment>): object {
  const body: ApiErrorBody = { error: { code, message, requestId: context.get('requestId') } };
  return toWire(body) as object;
}
