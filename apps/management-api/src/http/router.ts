import { contract, type Endpoint, fromWire, toWire } from '@sp/cloud-api/contract';
import type { Context } from 'hono';
import type { Logger } from 'pino';
import type { Vault } from '../ports/vault.ts';
import type { Store } from '../store/database.ts';
import type { AccessTokens } from '../tokens/access-tokens.ts';
import type { HttpApp, HttpEnvironment } from './app.ts';
import { readJson } from './body.ts';
import { invalidRequest, unauthorized } from './errors.ts';
import { type EventSource, sendEvents } from './event-stream.ts';
import type { Handlers, RequestUser } from './handlers.ts';
import { answerOnce, hasKey } from './idempotency.ts';
import { loggableError } from './loggable-error.ts';
import { validate } from './validate.ts';

/** What the routes need besides their handlers. */
export interface RouterDeps {
  readonly tokens: Pick<AccessTokens, 'verify'>;
  readonly store: Store;
  readonly vault: Vault;
  readonly logger: Logger;
  /** Ends the event streams that are open. */
  readonly signal: AbortSignal;
  /** @defaultValue 15000 */
  readonly heartbeatMs?: number | undefined;
}

/** A handler as the walk over the table sees it. */
type AnyHandler = (
  input: Readonly<Record<'query' | 'body', unknown>> & {
    readonly params: Readonly<Record<string, string>>;
    readonly user: RequestUser | undefined;
    readonly signal: AbortSignal;
    readonly request: Request;
    readonly answer: Headers;
  },
) => Promise<unknown>;

/** Gives every endpoint of the contract, in each of its spellings, a route. */
export function mountContract(app: HttpApp, handlers: Handlers, deps: RouterDeps): void {
  for (const [resource, verbs] of Object.entries(contract)) {
    for (const [verb, endpoint] of Object.entries<Endpoint>(verbs)) {
      // The type of `handlers` has made sure that it is there and fits; the walk over the table cannot see that.
      const handler = (handlers as unknown as Record<string, Record<string, AnyHandler>>)[resource]?.[verb];
      if (handler === undefined) throw new TypeError(`The endpoint ${resource}.${verb} has no handler.`);
      for (const { method, path } of [endpoint, ...(endpoint.aliases ?? [])]) {
        app.on(method, path.replace(/\{(\w+)\}/g, ':$1'), (context) => answer(context, endpoint, handler, deps));
      }
    }
  }
}

async function answer(
  context: Context<HttpEnvironment>,
  endpoint: Endpoint,
  handler: AnyHandler,
  deps: RouterDeps,
): Promise<Response> {
  const request = context.req.raw;
  // Before anything is read: who may not call gets no other answer.
  const user = endpoint.auth === 'bearer' ? await authenticate(request, deps.tokens) : undefined;
  if (user !== undefined) context.set('userId', user.id);
  const params = context.req.param();
  // Postgres has no text with one.
  if (Object.values(params).some((value) => value.includes('\0'))) throw invalidRequest('path: holds a NUL character.');
  const query = endpoint.query && validate(endpoint.query, readQuery(request), 'query');
  const body = endpoint.request && validate(endpoint.request, await readJson(request), 'body');
  const respond = async (): Promise<Response> => {
    const headers = new Headers();
    const signal = user !== undefined && hasKey(request) ? deps.signal : request.signal;
    const result = await handler({ params, query, body, user, signal, request, answer: headers });
    headers.forEach((value, name) => {
      context.header(name, value);
    });
    return send(context, { endpoint, result, deps });
  };
  return user === undefined ? await respond() : await answerOnce(deps, { request, userId: user.id, body }, respond);
}

function send(
  context: Context<HttpEnvironment>,
  { endpoint, result, deps }: { readonly endpoint: Endpoint; readonly result: unknown; readonly deps: RouterDeps },
): Response {
  if (endpoint.kind === 'events') {
    return sendEvents(context, result as EventSource<unknown>, {
      signal: AbortSignal.any([deps.signal, context.req.raw.signal]),
      heartbeatMs: deps.heartbeatMs ?? 15_000,
      onError: (error) =>
        deps.logger.error({ requestId: context.get('requestId'), err: loggableError(error) }, 'event stream failed'),
    });
  }
  if (endpoint.response === undefined) return endpoint.empty === 'null' ? context.json(null) : context.body(null, 204);
  return context.json(toWire(endpoint.envelope === 'data' ? { data: result } : result) as object);
}

async function authenticate(request: Request, tokens: RouterDeps['tokens']): Promise<RequestUser> {
  const token = /^Bearer ([^\s]+)$/i.exec(request.headers.get('authorization') ?? '')?.[1];
  const verified = token === undefined ? undefined : await tokens.verify(token);
  if (verified === undefined) throw unauthorized();
  return { id: verified.userId, email: verified.email };
}

function readQuery(request: Request): unknown {
  return fromWire(Object.fromEntries(new URL(request.url).searchParams));
}
