import { type ApiScope, contract, type Endpoint, endpointScopes, fromWire, toWire } from '@sp/cloud-api/contract';
import type { Context } from 'hono';
import type { Logger } from 'pino';
import type { AuditLog } from '../audit/audit-log.ts';
import { originOf, type RequestOrigin } from '../audit/login-trail.ts';
import type { Metrics } from '../metrics/metrics.ts';
import type { Vault } from '../ports/vault.ts';
import { mayUse } from '../routes/resolve-tenant.ts';
import type { Store } from '../store/database.ts';
import type { Authenticator, Caller } from '../tokens/authenticator.ts';
import type { AnswerCache } from './answer-cache.ts';
import type { HttpApp, HttpEnvironment } from './app.ts';
import { audited } from './audited.ts';
import { bearerToken } from './bearer-token.ts';
import { readJson } from './body.ts';
import {
  ApiFailure,
  clientGone,
  invalidRequest,
  isEndOf,
  methodNotAllowed,
  tenantNotFound,
  unauthorized,
} from './errors.ts';
import { type EventSource, sendEvents } from './event-stream.ts';
import type { Handlers } from './handlers.ts';
import { answerOnce, type Effect, hasKey, unkeptEffect } from './idempotency.ts';
import { loggableError } from './loggable-error.ts';
import { createOpenStreams, type OpenStreams } from './open-streams.ts';
import type { Presence } from './presence.ts';
import { answerKey } from './quick-reads.ts';
import type { RateLimiter, RateLimits } from './rate-limits.ts';
import { sendJson } from './send-json.ts';
import { validate } from './validate.ts';

/** What the routes need besides their handlers. */
export interface RouterOptions {
  readonly authenticator: Pick<Authenticator, 'verify'>;
  readonly limiter: RateLimiter;
  readonly answers: Pick<AnswerCache, 'begin' | 'drop'>;
  readonly audit: AuditLog;
  readonly presence: Presence;
  readonly metrics: Pick<Metrics, 'openStream'> | undefined;
  readonly store: Store;
  readonly vault: Vault;
  readonly logger: Logger;
  /** Ends the event streams that are open. */
  readonly signal: AbortSignal;
  /** @defaultValue 15000 */
  readonly heartbeatMs?: number | undefined;
}

interface RouterDeps extends Omit<RouterOptions, 'heartbeatMs'> {
  readonly streams: OpenStreams;
}

/** A handler as the walk over the table sees it. */
type AnyHandler = (
  input: Readonly<Record<'query' | 'body', unknown>> & {
    readonly params: Readonly<Record<string, string>>;
    readonly user: Caller | undefined;
    readonly signal: AbortSignal;
    readonly request: Request;
    readonly origin: RequestOrigin;
    readonly effect: Effect;
    readonly answer: Headers;
  },
) => Promise<unknown>;

/** An endpoint with all that the router knows of it. */
interface Route {
  /** `resource.verb`. */
  readonly name: string;
  readonly endpoint: Endpoint;
  readonly handler: AnyHandler;
  /** What an API token needs; absent where nobody is asked who they are. */
  readonly scope: ApiScope | undefined;
}

/** Endpoints with a limit of their own, for each user: what must not be guessed, and what is dear. */
const userLimits: ReadonlyMap<string, keyof RateLimits> = new Map([
  ['tenants.getCredentials', 'credentials'],
  ['checkout.create', 'checkout'],
] satisfies [string, keyof RateLimits][]);

/** These are read, and yet leave something behind. */
const leaveTraces: ReadonlySet<string> = new Set(['auth.getAuthorizeUrl']);

/** These ask with a body, and change nothing. */
const questions: ReadonlySet<string> = new Set(['releases.diffSecrets']);

/** Gives every endpoint of the contract, in each of its spellings, a route. */
export function mountContract(app: HttpApp, handlers: Handlers, options: RouterOptions): void {
  const { heartbeatMs = 15_000, ...given } = options;
  const deps: RouterDeps = { ...given, streams: createOpenStreams({ heartbeatMs, signal: given.signal }) };
  for (const [resource, verbs] of Object.entries(contract)) {
    for (const [verb, endpoint] of Object.entries<Endpoint>(verbs)) {
      // The type of `handlers` has made sure that it is there and fits; the walk over the table cannot see that.
      const handler = (handlers as unknown as Record<string, Record<string, AnyHandler>>)[resource]?.[verb];
      if (handler === undefined) throw new TypeError(`The endpoint ${resource}.${verb} has no handler.`);
      const scope = (endpointScopes as Record<string, Record<string, ApiScope>>)[resource]?.[verb];
      const route = { name: `${resource}.${verb}`, endpoint, handler, scope };
      for (const { method, path } of [endpoint, ...(endpoint.aliases ?? [])]) {
        app.on(method, path.replace(/\{(\w+)\}/g, ':$1'), (context) => answer(context, route, deps));
      }
    }
  }
}

async function answer(context: Context<HttpEnvironment>, route: Route, deps: RouterDeps): Promise<Response> {
  const { name, endpoint } = route;
  // The framework has it done by the handler of GET, and shows nothing of what it gave away.
  const isHead = context.req.method === 'HEAD';
  if (isHead && (!endpoint.idempotent || endpoint.kind === 'events' || leaveTraces.has(name))) {
    throw methodNotAllowed([endpoint.method]);
  }
  if (endpoint.auth === 'none') return await respond(context, { route, user: undefined }, deps);
  // Before anything is read: who may not call gets no other answer.
  const user = await authenticate(context.req.raw, deps.authenticator);
  context.set('userId', user.id);
  const headers = context.get('headers');
  Object.assign(headers, deps.limiter.count('user', user.id));
  const limit = userLimits.get(name);
  if (limit !== undefined) Object.assign(headers, await deps.limiter.consume(limit, user.id));
  const changes = (endpoint.method !== 'GET' || !endpoint.idempotent) && !questions.has(name);
  if (!changes) return await respond(context, { route, user }, deps);
  const facts = { name, user, requestId: context.get('requestId'), address: context.get('address') };
  try {
    return await audited({ ...facts, tenantId: tenantOf(context, endpoint) }, deps, () =>
      respond(context, { route, user }, deps),
    );
  } finally {
    // Whoever has this answer asks for what came of it; it may have been done by another replica, whose notice is under way.
    deps.answers.drop(user.id);
  }
}

async function respond(
  context: Context<HttpEnvironment>,
  asked: { readonly route: Route; readonly user: Caller | undefined },
  deps: RouterDeps,
): Promise<Response> {
  try {
    return await handle(context, asked, deps);
  } catch (error) {
    throw isEndOf(context.req.raw, error) ? clientGone() : error;
  }
}

async function handle(
  context: Context<HttpEnvironment>,
  { route, user }: { readonly route: Route; readonly user: Caller | undefined },
  deps: RouterDeps,
): Promise<Response> {
  const { endpoint, handler } = route;
  const request = context.req.raw;
  const params = context.req.param();
  // Postgres has no text with one.
  if (Object.values(params).some((value) => value.includes('\0'))) throw invalidRequest('path: holds a NUL character.');
  if (user !== undefined) checkRights(user, { scope: route.scope, tenantId: tenantOf(context, endpoint) });
  const query = endpoint.query && validate(endpoint.query, readQuery(request), 'query');
  const body = endpoint.request && validate(endpoint.request, await readJson(request), 'body');
  const work = async (effect: Effect): Promise<Response> => {
    const key = user === undefined || request.method !== 'GET' ? undefined : answerKey(user, context.req.path);
    // Before anything is read.
    const reading = user === undefined || key === undefined ? undefined : deps.answers.begin(user.id);
    let headers: Headers | undefined;
    const result = await handler({
      params,
      query,
      body,
      user,
      // Asked for by few, and dear to make, as is the next.
      get signal() {
        return user !== undefined && hasKey(request) ? deps.signal : request.signal;
      },
      request,
      origin: originOf(context),
      effect,
      get answer() {
        headers ??= new Headers();
        return headers;
      },
    });
    if (headers !== undefined) Object.assign(context.get('headers'), Object.fromEntries(headers));
    if (endpoint.kind === 'events') return sendStream(context, result as EventSource<unknown>, deps);
    if (endpoint.response === undefined && endpoint.empty !== 'null') return context.body(null, 204);
    const shown = endpoint.envelope === 'data' ? { data: result } : result;
    const text = endpoint.response === undefined ? 'null' : JSON.stringify(toWire(shown));
    if (key !== undefined) reading?.keep(key, { body: text, etag: headers?.get('etag') ?? undefined });
    return sendJson(context, text);
  };
  return user === undefined
    ? await work(unkeptEffect)
    : await answerOnce(deps, { request, userId: user.id, body }, work);
}

/** Holds an API token against what it was made for; a login may do everything. */
function checkRights(
  user: Caller,
  { scope, tenantId }: { readonly scope: ApiScope | undefined; readonly tenantId: string | undefined },
): void {
  if (user.apiToken === undefined) return;
  // An endpoint without a scope would be nobody's: the table has one for each.
  if (scope === undefined || !user.apiToken.scopes.includes(scope)) {
    throw new ApiFailure(`The API token does not have the scope ${scope ?? 'for this'}.`, {
      status: 403,
      code: 'insufficient_scope',
      headers: { 'www-authenticate': `Bearer error="insufficient_scope", scope="${scope ?? ''}"` },
    });
  }
  if (tenantId !== undefined && !mayUse(user, tenantId)) throw tenantNotFound();
}

function sendStream(
  context: Context<HttpEnvironment>,
  source: EventSource<unknown>,
  { streams, metrics, logger }: RouterDeps,
): Response {
  return sendEvents(context, source, {
    streams,
    // A server cancels the body when its connection ends; a caller in this process has nothing but its signal.
    signal: hasConnection(context) ? undefined : context.req.raw.signal,
    opened: metrics?.openStream,
    onError: logFailure(logger, context.get('requestId')),
  });
}

async function authenticate(request: Request, authenticator: RouterDeps['authenticator']): Promise<Caller> {
  const token = bearerToken(request.headers);
  const caller = token === undefined ? undefined : await authenticator.verify(token);
  if (caller === undefined) throw unauthorized();
  return caller;
}

/** Apart, so that a stream that may be open for days keeps this and not its whole request. */
function logFailure(logger: Logger, requestId: string): (error: unknown) => void {
  return (error) => logger.error({ requestId, err: loggableError(error) }, 'event stream failed');
}

/** The tenant that the path speaks of. */
function tenantOf(context: Context<HttpEnvironment>, endpoint: Endpoint): string | undefined {
  return endpoint.path.startsWith('/api/v1/tenants/{id}') ? context.req.param('id') : undefined;
}

function hasConnection({ env }: Context): boolean {
  return (env as { incoming?: unknown } | undefined)?.incoming !== undefined;
}

function readQuery(request: Request): unknown {
  return fromWire(Object.fromEntries(new URL(request.url).searchParams));
}
