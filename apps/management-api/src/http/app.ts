import { randomUUID } from 'node:crypto';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import { type ApiErrorBody, idempotencyKeyHeader, toWire } from '@sp/cloud-api/contract';
import { type Context, Hono } from 'hono';
import { cors } from 'hono/cors';
import { routePath } from 'hono/route';
import type { Logger } from 'pino';
import type { Metrics } from '../metrics/metrics.ts';
import { allowedMethods } from './allowed-methods.ts';
import { type AnswerHeaders, commonHeaders, crossOriginHeaders, exposedHeaders } from './answer-headers.ts';
import { clientAddress } from './client-address.ts';
import { type ApiFailure, clientGone, isEndOf, methodNotAllowed } from './errors.ts';
import { failureOf } from './failure-of.ts';
import { loggableError } from './loggable-error.ts';
import { createRequestLog } from './request-log.ts';

/** What every request carries. */
export interface HttpEnvironment {
  Variables: {
    requestId: string;
    /** Where the request came from, where that is known. */
    address: string | undefined;
    userId?: string;
    /** What the answer will have, whoever makes it; a header that its maker sets wins. */
    headers: AnswerHeaders;
    /** The answer that has all of them already. */
    complete?: Response;
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

  const logRequest = createRequestLog({ logger, metrics });

  app.use(async (context, next) => {
    const requestId = newRequestId();
    const started = performance.now();
    const address = clientAddress(context.env, context.req.raw.headers, trustedProxyHeader);
    context.set('requestId', requestId);
    context.set('address', address);
    context.set('headers', commonHeaders(requestId));
    await next();
    const { res } = context;
    if (res !== context.get('complete') && res !== RESPONSE_ALREADY_SENT) addHeaders(res, context.get('headers'));
    const { method } = context.req;
    // Of those that match the one that answered.
    const route = routePath(context);
    logRequest({ requestId, method, route, status: res.status, userId: context.get('userId'), address, started });
  });

  const preflight = cors({
    origin: '*',
    allowMethods: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'],
    allowHeaders: ['authorization', 'content-type', idempotencyKeyHeader, 'if-match', 'last-event-id', 'user-agent'],
    exposeHeaders: [...exposedHeaders],
    maxAge: 600,
  });
  app.use('/api/v1/*', async (context, next) => {
    if (context.req.method === 'OPTIONS') return await preflight(context, next);
    Object.assign(context.get('headers'), crossOriginHeaders);
    return await next();
  });

  let allowed: ((path: string) => readonly string[]) | undefined;
  app.notFound((context) => {
    allowed ??= allowedMethods(app);
    const methods = allowed(context.req.path);
    if (methods.length > 0) return sendFailure(context, methodNotAllowed(methods));
    return context.json(errorBody('not_found', 'There is nothing at this address.', context), 404);
  });

  app.onError((error, context) => {
    const failure = isEndOf(context.req.raw, error) ? clientGone() : failureOf(error);
    if (failure.status >= 500) {
      logger.error({ requestId: context.get('requestId'), err: loggableError(error) }, 'request failed');
    }
    return sendFailure(context, failure);
  });

  return app;
}

/** A name for a request, by which its answer and its lines in the log are found. */
export function newRequestId(): string {
  return `req_${randomUUID()}`;
}

function addHeaders({ headers }: Response, added: Readonly<AnswerHeaders>): void {
  for (const [name, value] of Object.entries(added)) if (!headers.has(name)) headers.set(name, value);
}

function sendFailure(context: Context<HttpEnvironment>, { status, code, message, headers }: ApiFailure): Response {
  Object.assign(context.get('headers'), headers);
  return context.json(errorBody(code, message, context), status);
}

function errorBody(code: string, message: string, context: Context<HttpEnvironment>): object {
  const body: ApiErrorBody = { error: { code, message, requestId: context.get('requestId') } };
  return toWire(body) as object;
}
