import * as z from 'zod/mini';
import { endpoint } from './endpoint.ts';
import { maybe } from './schema.ts';
import { type ApiScope, apiScopes } from './scopes.ts';

/** A token for programs without a person, such as CI. */
export interface ApiToken {
  /** Names the token in lists; it is no secret. */
  readonly id: string;
  /** What it is for, in the user's words. */
  readonly name: string;
  /** What it may do. */
  readonly scopes: readonly (ApiScope | (string & {}))[];
  /** The one tenant that it is for. */
  readonly tenantId?: string | undefined;
  /** RFC 3339. */
  readonly createdAt: string;
  /** RFC 3339. */
  readonly expiresAt: string;
  /** Within a minute; RFC 3339. */
  readonly lastUsedAt?: string | undefined;
}

/** A token to be made. */
export interface CreateApiTokenRequest {
  /** What it is for, in the user's words; at most 100 characters. */
  readonly name: string;
  /** What it may do; at least one. */
  readonly scopes: readonly ApiScope[];
  /** The one tenant that it shall be for; not with the scope `account`. @defaultValue all tenants of the user */
  readonly tenantId?: string | undefined;
  /** 1 to 365. @defaultValue 90 */
  readonly expiresInDays?: number | undefined;
}

/** A new token. */
export interface CreatedApiToken extends ApiToken {
  /** The token itself. Shown this once. A secret. */
  readonly token: string;
}

const members = {
  id: z.string(),
  name: z.string(),
  scopes: z.array(z.string()),
  tenantId: maybe(z.string()),
  createdAt: z.string(),
  expiresAt: z.string(),
  lastUsedAt: maybe(z.string()),
};

const apiTokenSchema: z.ZodMiniType<ApiToken> = z.object(members);

const createApiTokenSchema: z.ZodMiniType<CreateApiTokenRequest> = z.strictObject({
  name: z.string().check(z.trim(), z.minLength(1), z.maxLength(100)),
  scopes: z.array(z.enum(apiScopes)).check(z.minLength(1), z.maxLength(apiScopes.length)),
  tenantId: z.optional(z.string().check(z.maxLength(64))),
  expiresInDays: z.optional(z.int().check(z.minimum(1), z.maximum(365))),
});

export const listApiTokens = endpoint({
  summary: "The user's API tokens that are good, the newest first.",
  method: 'GET',
  path: '/api/v1/auth/api-tokens',
  auth: 'bearer',
  envelope: 'data',
  idempotent: true,
  response: z.array(apiTokenSchema) as z.ZodMiniType<readonly ApiToken[]>,
});

export const createApiToken = endpoint({
  summary: 'Makes a token for programs. It is shown once.',
  method: 'POST',
  path: '/api/v1/auth/api-tokens',
  auth: 'bearer',
  envelope: 'data',
  idempotent: false,
  request: createApiTokenSchema,
  response: z.object({ ...members, token: z.string() }) as z.ZodMiniType<CreatedApiToken>,
});

export const deleteApiToken = endpoint({
  summary: 'Revokes a token: it stops working.',
  method: 'DELETE',
  path: '/api/v1/auth/api-tokens/{id}',
  auth: 'bearer',
  envelope: 'bare',
  idempotent: true,
});
