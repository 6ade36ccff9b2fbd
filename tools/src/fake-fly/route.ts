import type { HttpBindings } from '@hono/node-server';
import type { Context } from 'hono';
import * as z from 'zod';
import { FlyFailure } from './failure.ts';
import { failAfter, failBefore } from './faults.ts';
import type { FlyContext, FlyServer } from './fly-context.ts';
import { nothing } from './resource-schemas.ts';

/** A request that was found to be right. */
export interface FlyRequest<Body, Query> {
  readonly org: string;
  /** The `:app` of the path. */
  readonly app: string;
  /** A parameter of the path. */
  readonly parameter: (name: string) => string;
  readonly body: Body;
  readonly query: Query;
  /** What a holder of a lease sends. */
  readonly nonce: string | undefined;
}

/** What a route is about. */
export interface RouteOptions<Body extends z.ZodType, Query extends z.ZodType> {
  readonly method: 'get' | 'post' | 'put' | 'delete';
  readonly path: string;
  /** What rate limits and injected failures are told by. */
  readonly action: string;
  /** The parameter whose value the rate limit is for. @defaultValue 'app' */
  readonly identifier?: string | undefined;
  readonly body?: Body | undefined;
  readonly query?: Query | undefined;
  readonly answer: (
    request: FlyRequest<z.infer<Body>, z.infer<Query>>,
  ) =>
    | Promise<{ readonly status: number; readonly body?: unknown }>
    | { readonly status: number; readonly body?: unknown };
}

/** Mounts a route with everything that is the same for all: the token, failures, limits and the strict look at the request. */
export function route<Body extends z.ZodType, Query extends z.ZodType>(
  server: FlyServer,
  context: FlyContext,
  options: RouteOptions<Body, Query>,
): void {
  const { method, path, action, identifier = 'app', body, query, answer } = options;
  server.on(method.toUpperCase(), path, async (call) => {
    context.counts.actions.set(action, (context.counts.actions.get(action) ?? 0) + 1);
    const org = organizationOf(context, call);
    const content = await readBody(call);
    const app = call.req.param('app') ?? bodyName(content);
    const fault = context.faults.take(action, app);
    await failBefore(fault, context.closed);
    const request: FlyRequest<z.infer<Body>, z.infer<Query>> = {
      org,
      app,
      parameter: (name) => call.req.param(name) ?? '',
      body: check(body ?? nothing, content, 'body') as z.infer<Body>,
      query: check(query ?? nothing, call.req.query(), 'query') as z.infer<Query>,
      nonce: call.req.header('fly-machine-lease-nonce'),
    };
    context.limits.take(action, identifier === '' ? org : (call.req.param(identifier) ?? app));
    const { status, body: answered } = await answer(request);
    await failAfter(fault, context.closed);
    if (answered === undefined) return new Response(null, { status });
    return Response.json(answered, { status });
  });
}

/** @throws {FlyFailure} 401 */
export function organizationOf(context: FlyContext, call: Context<{ Bindings: HttpBindings }>): string {
  const [, scheme, token = ''] = /^(Bearer|FlyV1) (\S+)$/.exec(call.req.header('authorization') ?? '') ?? [];
  const org = context.tokens.get(token);
  // A macaroon under the wrong scheme is not read.
  const macaroon = token.split(',').some((part) => /^(fm1r|fm1a|fm2)_/.test(part));
  if (org === undefined || macaroon !== (scheme === 'FlyV1')) throw new FlyFailure(401, 'unauthorized');
  return org;
}

async function readBody(call: Context): Promise<unknown> {
  const text = await call.req.text();
  if (text === '') return {};
  if (!(call.req.header('content-type') ?? '').startsWith('application/json')) {
    throw new FlyFailure(400, 'the content type is not application/json');
  }
  try {
    return JSON.parse(text);
  } catch {
    throw new FlyFailure(400, 'invalid JSON');
  }
}

function check(schema: z.ZodType, value: unknown, where: string): unknown {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new FlyFailure(400, `invalid ${where}: ${z.prettifyError(parsed.error).replaceAll('\n', ' ')}`);
}

function bodyName(body: unknown): string {
  return typeof body === 'object' && body !== null && 'app_name' in body ? String(body.app_name) : '';
}
