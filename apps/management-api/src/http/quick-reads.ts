import { endpointScopes } from '@sp/cloud-api/contract';
import { mayUse } from '../routes/resolve-tenant.ts';
import type { Authenticator, Caller } from '../tokens/authenticator.ts';
import type { AnswerCache } from './answer-cache.ts';
import { commonHeaders, crossOriginHeaders } from './answer-headers.ts';
import { newRequestId } from './app.ts';
import { bearerToken } from './bearer-token.ts';
import { addressBlock, clientAddress } from './client-address.ts';
import type { RateLimiter } from './rate-limits.ts';
import type { AnsweredRequest } from './request-log.ts';

const root = '/api/v1/tenants';
const { list, get, getStatus } = endpointScopes.tenants;
// What programs ask again and again while they wait; everything that the answers are made of tells when it changes.
const pattern = /^\/api\/v1\/tenants(?:\/([\da-f-]{36})(\/status)?)?$/;

/** A question whose answer is kept. */
interface KeptRead {
  readonly tenantId: string | undefined;
  readonly scope: string;
  /** The route's pattern. */
  readonly route: string;
}

/** The question that a path asks, where its answers are kept. */
function keptReadOf(path: string): KeptRead | undefined {
  const found = pattern.exec(path);
  if (found === null) return undefined;
  const [, tenantId, status] = found;
  if (tenantId === undefined) return { tenantId, scope: list, route: root };
  if (status === undefined) return { tenantId, scope: get, route: `${root}/:id` };
  return { tenantId, scope: getStatus, route: `${root}/:id/status` };
}

/** Under what the answer to a caller is kept among those of its user; `undefined`: it is not kept. */
export function answerKey(caller: Caller, path: string): string | undefined {
  // A token that is for one tenant is shown a shorter list.
  return pattern.test(path) ? keyOf(caller, path) : undefined;
}

function keyOf({ apiToken }: Caller, path: string): string {
  return apiToken?.tenantId === undefined ? path : `${apiToken.tenantId} ${path}`;
}

/**
 * Answers what was answered before and still holds, with all that belongs to any answer: limits, headers, line in the
 * log. `undefined`: it has to be answered the long way, which is also where everything is refused.
 */
export function createQuickReads(deps: {
  readonly authenticator: Pick<Authenticator, 'recall'>;
  readonly answers: Pick<AnswerCache, 'find'>;
  readonly limiter: RateLimiter;
  readonly trustedProxyHeader: string | undefined;
  readonly logRequest: (request: AnsweredRequest) => void;
}): (request: Request, env: unknown) => Response | undefined {
  const { authenticator, answers, limiter, trustedProxyHeader, logRequest } = deps;
  return (request, env) => {
    if (request.method !== 'GET') return undefined;
    const started = performance.now();
    const { url } = request;
    // Behind the scheme and the host. What has a query is nothing of this kind.
    const path = url.slice(url.indexOf('/', 8));
    if (!path.startsWith(root)) return undefined;
    const read = keptReadOf(path);
    if (read === undefined) return undefined;
    const { headers } = request;
    const token = bearerToken(headers);
    const caller = token === undefined ? undefined : authenticator.recall(token);
    if (caller === undefined || !isAllowed(caller, read)) return undefined;
    const answer = answers.find(caller.id, keyOf(caller, path));
    if (answer === undefined) return undefined;

    const address = clientAddress(env, headers, trustedProxyHeader);
    const block = addressBlock(address);
    // What is refused is counted where it is refused.
    if (!limiter.hasRoom('address', block) || !limiter.hasRoom('user', caller.id)) return undefined;
    limiter.pass('address', block);
    const limits = limiter.count('user', caller.id);
    const requestId = newRequestId();
    // Not spread into one literal, which takes twenty times as long.
    const sent = Object.assign(commonHeaders(requestId), crossOriginHeaders, limits);
    sent['content-type'] = 'application/json';
    if (answer.etag !== undefined) sent['etag'] = answer.etag;
    const response = new Response(answer.body, { headers: sent });
    logRequest({ requestId, method: 'GET', route: read.route, status: 200, userId: caller.id, address, started });
    return response;
  };
}

function isAllowed(caller: Caller, { scope, tenantId }: KeptRead): boolean {
  if (caller.apiToken === undefined) return true;
  return caller.apiToken.scopes.includes(scope) && (tenantId === undefined || mayUse(caller, tenantId));
}
