import type { ApiScope } from '@sp/cloud-api/contract';
import { ApiFailure, invalidRequest } from '../http/errors.ts';
import type { Handlers } from '../http/handlers.ts';
import { createApiToken, listApiTokens, maxApiTokens, revokeApiToken } from '../tokens/api-tokens.ts';
import type { Caller } from '../tokens/authenticator.ts';
import type { RouteDeps } from './deps.ts';
import { resolveTenant } from './resolve-tenant.ts';

type CreatedToken = NonNullable<Awaited<ReturnType<typeof createApiToken>>>;

const dayMs = 24 * 60 * 60_000;
const defaultDays = 90;
const uuidPattern = /^[\da-f]{8}-(?:[\da-f]{4}-){3}[\da-f]{12}$/i;

/** The handlers of `contract.apiTokens`. */
export function apiTokenHandlers(deps: RouteDeps): Handlers['apiTokens'] {
  const { store, now } = deps;
  return {
    list: ({ user }) => listApiTokens({ store, now }, user.id),

    create: async ({ user, body, effect }) => {
      if (effect.made !== undefined) return effect.made as CreatedToken;
      const { name, scopes, expiresInDays = defaultDays } = body;
      if (body.tenantId !== undefined && scopes.includes('account')) {
        throw invalidRequest('body.scopes: account cannot be limited to a tenant.');
      }
      const expiresAt = new Date(now() + expiresInDays * dayMs);
      checkOwnRights(user, { scopes, expiresAt });
      const tenantId =
        body.tenantId === undefined ? undefined : (await resolveTenant(deps, { id: body.tenantId, user })).id;
      const made = await createApiToken({ store, now }, { userId: user.id, name, scopes, tenantId, expiresAt, effect });
      if (made !== undefined) return made;
      throw new ApiFailure(`There are ${maxApiTokens} API tokens already.`, {
        status: 409,
        code: 'too_many_api_tokens',
      });
    },

    delete: async ({ user, params: { id } }) => {
      const revoked = uuidPattern.test(id) && (await revokeApiToken({ store, now }, { id, userId: user.id }));
      if (!revoked) throw new ApiFailure('There is no such API token.', { status: 404, code: 'api_token_not_found' });
    },
  };
}

/** A token that makes tokens gives them no more than it has itself. */
function checkOwnRights(
  { apiToken }: Caller,
  wanted: { readonly scopes: readonly ApiScope[]; readonly expiresAt: Date },
): void {
  if (apiToken === undefined) return;
  const missing = wanted.scopes.find((scope) => !apiToken.scopes.includes(scope));
  if (missing !== undefined) {
    throw new ApiFailure(`The API token does not have the scope ${missing} that it wants to give.`, {
      status: 403,
      code: 'insufficient_scope',
    });
  }
  if (wanted.expiresAt <= apiToken.expiresAt) return;
  throw invalidRequest('body.expires_in_days: ends after the token that asks for it.');
}
