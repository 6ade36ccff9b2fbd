import * as z from 'zod/mini';
import { endpoint } from './endpoint.ts';
import { maybe } from './schema.ts';

/** Who can vouch for a person. */
export type OAuthProvider = 'github' | 'google';

/** Where the login begins. With `state` and `codeChallenge` the callback gets a code, without them the token itself. */
export interface AuthorizeUrlRequest {
  /** Where the browser returns to; only loopback addresses are accepted. */
  readonly redirectUri: string;
  readonly state?: string | undefined;
  /** PKCE challenge (RFC 7636), base64url SHA-256 of the verifier. */
  readonly codeChallenge?: string | undefined;
  readonly codeChallengeMethod?: 'S256' | undefined;
}

/** A code to be turned into a token (RFC 6749 §4.1.3 with PKCE). */
export interface CreateTokenRequest {
  readonly grantType: 'authorization_code';
  readonly code: string;
  readonly codeVerifier: string;
  readonly redirectUri: string;
}

/** An access token. */
export interface TokenResponse {
  readonly accessToken: string;
  readonly tokenType: string;
  /** Seconds until the token expires. */
  readonly expiresIn?: number | undefined;
  readonly refreshToken?: string | undefined;
}

export const authorizeUrlQuerySchema: z.ZodMiniType<AuthorizeUrlRequest> = z.object({
  redirectUri: z.url(),
  state: z.optional(z.string().check(z.minLength(8), z.maxLength(512))),
  codeChallenge: z.optional(z.string().check(z.regex(/^[A-Za-z0-9_-]{43}$/))),
  codeChallengeMethod: z.optional(z.literal('S256')),
});

export const getAuthorizeUrl = endpoint({
  summary: 'The page where a person logs in with a provider.',
  method: 'GET',
  path: '/api/v1/auth/oauth/{provider}',
  auth: 'none',
  envelope: 'bare',
  idempotent: true,
  query: authorizeUrlQuerySchema,
  response: z.object({ authorizeUrl: z.url() }) as z.ZodMiniType<{ readonly authorizeUrl: string }>,
});

export const createTokenSchema: z.ZodMiniType<CreateTokenRequest> = z.strictObject({
  grantType: z.literal('authorization_code'),
  code: z.string().check(z.minLength(1), z.maxLength(512)),
  codeVerifier: z.string().check(z.regex(/^[A-Za-z0-9._~-]{43,128}$/)),
  redirectUri: z.url(),
});

export const tokenSchema: z.ZodMiniType<TokenResponse> = z.object({
  accessToken: z.string(),
  tokenType: z._default(z.string(), 'Bearer'),
  expiresIn: maybe(z.int()),
  refreshToken: maybe(z.string()),
});

export const createToken = endpoint({
  summary: 'Turns the code of a login into an access token. A code works once.',
  method: 'POST',
  path: '/api/v1/auth/token',
  auth: 'none',
  envelope: 'bare',
  idempotent: false,
  request: createTokenSchema,
  response: tokenSchema,
});
