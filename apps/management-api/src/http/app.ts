import { randomUUID } from 'node:crypto';
import { type ApiErrorBody, idempotencyKeyHeader, requestIdHeader, toWire } from '@sp/cloud-api/contract';
import { type Context, Hono } from 'hono';
import { cors } from 'hono/cors';
import { routePath } from 'hono/route';
import type { Logger } from 'pino';
import { failureOf } from './failure-of.ts';
import { replayedHeader } from './idempotency.ts';
import { loggableError } from './loggable-error.ts';

/** What every request carries. */
export interface HttpEnvironment {
  Variables: { requestId: string; userId?: string };
}

/** The application of the API. */
export type HttpApp = Hono<HttpEnvironment>;

/** An application without routes: request ids, the contract's error bodies, and answers that nobody caches. */
export function createHttpApp(deps: { readonly logger: Logger }): HttpApp {
  const { logger } = deps;
  const app = new Hono<HttpEnvironment>();

  app.use(async (context, next) => {
    const requestId = `req_${randomUUID()}`;
    const started = performance.now();
    context.set('requestId', requestId);
    await next();
    context.header(requestIdHeader, requestId);
    context.header('x-content-type-options', 'nosniff');
    if (!context.res.headers.has('cache-control')) context.header('cache-control', 'no-store');
    logger.info(
      {
        requestId,
        method: context.req.method,
        // The pattern and not the address, which can hold a one-time token.
        route: routePath(context, -1),
        status: context.res.status,
        userId: context.get('userId'),
        ms: Math.round(performance.now() - started),
      },
      'request',
    );
  });

  // Pages of other origins may use the API with a token of their own; a browser's cookies are never asked for.
  app.use(
    '/api/v1/*',
    cors({
      origin: '*',
      allowMethods: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'],
      allowHeaders: ['authorization', 'content-type', idempotencyKeyHeader, 'if-match', 'last-event-id', 'user-agent'],
      exposeHeaders: [requestIdHeader, 'etag', 'retry-after', replayedHeader],
      maxAge: 600,
    }),
  );

  app.notFound((context) => context.json(errorBody('not_found', 'There is nothing at this address.', context), 404));

  app.onError((error, context) => {
    const failure = failureOf(error);
    if (failure.status >= 500) {
      logger.error({ requestId: context.get('requestId'), err: loggableError(error) }, 'request failed');
    }
    return context.json(errorBody(failure.code, failure.message, context), failure.status, failure.headers);
  });

  return app;
}

function errorBody(code: string, message: string, context: Context<HttpEnvironment>): object {
  const body: ApiErrorBody = { error: { code, message, requestId: context.get('requestId') } };
  return toWire(body) as object;
}
