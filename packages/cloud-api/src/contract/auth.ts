import * as z from 'zod/mini';
import { endpoint } from './endpoint.ts';
import { maybe } from './schema.ts';

/** Who can vouch for a person. */
export type OAuthProvider = 'github' | 'google';

/** Where the login begins. With `state` and `codeChallenge` the callback gets a code, without them the token itself. */
export interface AuthorizeUrlRequest {
  /** Where the browser returns to; only loopback addresses are accepted. */
  readonly redirectUri: string;
  /** 8 to 512 visible ASCII characters that come back with the callback unchanged. */
  readonly state?: string | undefined;
  /** PKCE challenge (RFC 7636), base64url SHA-256 of the verifier. */
  readonly codeChallenge?: string | undefined;
  /** How the challenge was made; there is one way. */
  readonly codeChallengeMethod?: 'S256' | undefined;
  /** `offline_access`: a short access token with a refresh token, instead of a long access token alone. */
  readonly scope?: 'offline_access' | undefined;
}

/** The code of a browser login to be turned into a token (RFC 6749 §4.1.3 with PKCE). */
export interface AuthorizationCodeGrant {
  /** Says which grant this is. */
  readonly grantType: 'authorization_code';
  /** `code` of the callback. Works once. */
  readonly code: string;
  /** What the challenge was made of: 43 to 128 characters. A secret. */
  readonly codeVerifier: string;
  /** The same address as in the request for the login page. */
  readonly redirectUri: string;
  /** Ignored: every client is public. */
  readonly clientId?: string | undefined;
}

/** A refresh token to be replaced by a new pair (RFC 6749 §6). It works once, and for a minute more for lost answers. */
export interface RefreshTokenGrant {
  /** Says which grant this is. */
  readonly grantType: 'refresh_token';
  /** A secret. */
  readonly refreshToken: string;
  /** Ignored: every client is public. */
  readonly clientId?: string | undefined;
}

/** A poll for the outcome of a device login (RFC 8628 §3.4). */
export interface DeviceCodeGrant {
  /** Says which grant this is. */
  readonly grantType: 'urn:ietf:params:oauth:grant-type:device_code';
  /** `deviceCode` of the login. A secret. */
  readonly deviceCode: string;
  /** Ignored: every client is public. */
  readonly clientId?: string | undefined;
}

/** What can be turned into a token. */
export type CreateTokenRequest = AuthorizationCodeGrant | RefreshTokenGrant | DeviceCodeGrant;

/** Begins a login on a computer without a browser (RFC 8628 §3.1). */
export interface CreateDeviceLoginRequest {
  /** As in {@link AuthorizeUrlRequest}. */
  readonly scope?: 'offline_access' | undefined;
  /** Ignored: every client is public. */
  readonly clientId?: string | undefined;
}

/** A device login under way (RFC 8628 §3.2). */
export interface DeviceLogin {
  /** What the program polls with. A secret. */
  readonly deviceCode: string;
  /** What the person types: `BCDF-GHJK`. */
  readonly userCode: string;
  /** The page where it is typed. */
  readonly verificationUri: string;
  /** The same page with the code filled in. */
  readonly verificationUriComplete?: string | undefined;
  /** Seconds until both codes expire. */
  readonly expiresIn: number;
  /** The least number of seconds between two polls. */
  readonly interval: number;
}

/** A token to be given up (RFC 7009): its whole session ends. */
export interface RevokeTokenRequest {
  /** A refresh or an access token. */
  readonly token: string;
  /** Not needed: tokens of both kinds are told apart by themselves. */
  readonly tokenTypeHint?: string | undefined;
  /** Ignored: every client is public. */
  readonly clientId?: string | undefined;
}

/** One login of the user on one computer. */
export interface LoginSession {
  /** Names the session, for ending it. */
  readonly id: string;
  /** What the program that logged in called itself. */
  readonly client?: string | undefined;
  /** RFC 3339. */
  readonly createdAt: string;
  /** The last login or refresh; RFC 3339. */
  readonly lastUsedAt: string;
  /** RFC 3339. */
  readonly expiresAt: string;
  /** Whether the request was made with a token of this session. */
  readonly current: boolean;
}

/** The user's sessions that have not ended, the latest used first. */
export interface ListSessionsResponse {
  /** The latest used first. */
  readonly sessions: readonly LoginSession[];
}

/** An access token. */
export interface TokenResponse {
  /** Sent with each call. A secret. */
  readonly accessToken: string;
  /** `Bearer`. */
  readonly tokenType: string;
  /** Seconds until the token expires. */
  readonly expiresIn?: number | undefined;
  /** Gets the next pair. A secret. */
  readonly refreshToken?: string | undefined;
}

const authorizeUrlQuerySchema: z.ZodMiniType<AuthorizeUrlRequest> = z.object({
  redirectUri: z.url(),
  // The characters that RFC 6749 (appendix A.5) gives it.
  state: z.optional(z.string().check(z.regex(/^[\x20-\x7e]{8,512}$/))),
  codeChallenge: z.optional(z.string().check(z.regex(/^[A-Za-z0-9_-]{43}$/))),
  codeChallengeMethod: z.optional(z.literal('S256')),
  scope: z.optional(z.literal('offline_access')),
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

const secret = z.string().check(z.minLength(1), z.maxLength(512));
const clientId = z.optional(z.string().check(z.maxLength(256)));

const createTokenSchema: z.ZodMiniType<CreateTokenRequest> = z.discriminatedUnion('grantType', [
  z.strictObject({
    grantType: z.literal('authorization_code'),
    code: secret,
    codeVerifier: z.string().check(z.regex(/^[A-Za-z0-9._~-]{43,128}$/)),
    redirectUri: z.url(),
    clientId,
  }),
  z.strictObject({ grantType: z.literal('refresh_token'), refreshToken: secret, clientId }),
  z.strictObject({
    grantType: z.literal('urn:ietf:params:oauth:grant-type:device_code'),
    deviceCode: secret,
    clientId,
  }),
]);

const tokenSchema: z.ZodMiniType<TokenResponse> = z.object({
  accessToken: z.string(),
  tokenType: z._default(z.string(), 'Bearer'),
  expiresIn: maybe(z.int()),
  refreshToken: maybe(z.string()),
});

export const createToken = endpoint({
  summary: 'Turns the code of a login, a refresh token or an allowed device login into tokens. Each works once.',
  method: 'POST',
  path: '/api/v1/auth/token',
  auth: 'none',
  envelope: 'bare',
  idempotent: false,
  request: createTokenSchema,
  response: tokenSchema,
});

const createDeviceLoginSchema: z.ZodMiniType<CreateDeviceLoginRequest> = z.strictObject({
  scope: z.optional(z.literal('offline_access')),
  clientId,
});

const deviceLoginSchema: z.ZodMiniType<DeviceLogin> = z.object({
  deviceCode: z.string(),
  userCode: z.string(),
  verificationUri: z.url(),
  verificationUriComplete: maybe(z.url()),
  expiresIn: z.int(),
  interval: z._default(z.int(), 5),
});

export const createDeviceLogin = endpoint({
  summary: 'Begins a login on a computer without a browser.',
  method: 'POST',
  path: '/api/v1/auth/device',
  auth: 'none',
  envelope: 'bare',
  idempotent: false,
  request: createDeviceLoginSchema,
  response: deviceLoginSchema,
});

const revokeTokenSchema: z.ZodMiniType<RevokeTokenRequest> = z.strictObject({
  // Access tokens are longer than the secrets above.
  token: z.string().check(z.minLength(1), z.maxLength(8192)),
  tokenTypeHint: z.optional(z.string().check(z.maxLength(64))),
  clientId,
});

export const revokeToken = endpoint({
  summary: 'Ends the session of a refresh or access token. A token that is not known is a success too.',
  method: 'POST',
  path: '/api/v1/auth/revoke',
  auth: 'none',
  envelope: 'bare',
  idempotent: true,
  request: revokeTokenSchema,
});

const listSessionsSchema: z.ZodMiniType<ListSessionsResponse> = z.object({
  sessions: z.array(
    z.object({
      id: z.string(),
      client: maybe(z.string()),
      createdAt: z.string(),
      lastUsedAt: z.string(),
      expiresAt: z.string(),
      current: z._default(z.boolean(), false),
    }),
  ),
});

export const listSessions = endpoint({
  summary: 'Where the user is logged in.',
  method: 'GET',
  path: '/api/v1/auth/sessions',
  auth: 'bearer',
  envelope: 'bare',
  idempotent: true,
  response: listSessionsSchema,
});

export const deleteSession = endpoint({
  summary: 'Ends one login of the user: its tokens stop working.',
  method: 'DELETE',
  path: '/api/v1/auth/sessions/{id}',
  auth: 'bearer',
  envelope: 'bare',
  idempotent: true,
});
