/** Who the user logs in with. */
export type OAuthProvider = 'github' | 'google';

/** What the server needs to start a login. */
export interface AuthorizeUrlRequest {
  /** Who shall vouch for the person. */
  readonly provider: OAuthProvider;
  /** `http://127.0.0.1:<port>/callback`, where this program already listens. */
  readonly redirectUri: string;
  /** To be given back unchanged with the code. */
  readonly state: string;
  /** The PKCE challenge (RFC 7636). */
  readonly codeChallenge: string;
  /** How the challenge was made. */
  readonly codeChallengeMethod: 'S256';
}

/** What the server needs to turn a code into a token. */
export interface ExchangeCodeRequest {
  /** The one-time code of the callback. A secret. */
  readonly code: string;
  /** The PKCE verifier, which only this program knows. A secret. */
  readonly codeVerifier: string;
  /** The same address as in the request for the login page. */
  readonly redirectUri: string;
}

/** What a login gives. */
export interface LoginToken {
  /** The bearer token of the Management API. A secret. */
  readonly accessToken: string;
  /** A secret. */
  readonly refreshToken?: string | undefined;
  /** In seconds from now. */
  readonly expiresIn?: number | undefined;
}
