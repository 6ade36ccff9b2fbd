import { createCloudApiClient, type OAuthProvider, type TokenResponse } from '@sp/cloud-api';
import { challengeOf, randomText } from './pkce.ts';

/** A person's login in this tab. Its tokens are gone when the tab is closed. */
export interface Session {
  /** Whether somebody is logged in. */
  readonly active: boolean;
  /** An access token that is valid for a while; asks for a new one when it has to. */
  token(): Promise<string>;
  /** Leaves the page for the provider's. */
  begin(provider: OAuthProvider): Promise<void>;
  /**
   * Takes up a login that returns in the page's address; the address loses it at once.
   *
   * @returns where the person was when it began; `undefined` when no login returns
   */
  complete(): Promise<string | undefined>;
  /** Forgets the tokens, here and at the server. */
  end(): Promise<void>;
  /** Forgets tokens that the server does not take any more. */
  forget(): void;
}

interface Tokens {
  readonly accessToken: string;
  readonly refreshToken?: string | undefined;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
}

interface Attempt {
  readonly state: string;
  readonly verifier: string;
  readonly hash: string;
}

const tokensKey = 'sp.tokens';
const attemptKey = 'sp.login';
// Time for a request to arrive before its token ends.
const marginMs = 60_000;

/** The login of this tab at the server that the page came from. */
export function createSession(): Session {
  const { auth } = createCloudApiClient({ environment: location.origin });
  const redirectUri = `${location.origin}/`;
  let refreshing: Promise<Tokens> | undefined;

  const save = (answer: TokenResponse): Tokens => {
    const { accessToken, refreshToken, expiresIn = 3600 } = answer;
    const tokens = { accessToken, refreshToken, expiresAt: Date.now() + expiresIn * 1000 };
    sessionStorage.setItem(tokensKey, JSON.stringify(tokens));
    return tokens;
  };
  const refresh = async (refreshToken: string): Promise<Tokens> => {
    try {
      return save(await auth.createToken({ grantType: 'refresh_token', refreshToken }));
    } finally {
      refreshing = undefined;
    }
  };

  return {
    get active() {
      return readTokens() !== undefined;
    },
    token: async () => {
      const tokens = readTokens();
      if (tokens === undefined) throw new Error('Nobody is logged in.');
      if (tokens.refreshToken === undefined || tokens.expiresAt - marginMs > Date.now()) return tokens.accessToken;
      // A refresh token works once: whoever comes meanwhile gets the same answer.
      refreshing ??= refresh(tokens.refreshToken);
      return (await refreshing).accessToken;
    },
    begin: async (provider) => {
      const attempt: Attempt = { state: randomText(), verifier: randomText(), hash: location.hash };
      sessionStorage.setItem(attemptKey, JSON.stringify(attempt));
      const { state, verifier } = attempt;
      const codeChallenge = await challengeOf(verifier);
      const pkce = { state, codeChallenge, codeChallengeMethod: 'S256', scope: 'offline_access' } as const;
      location.assign(await auth.getAuthorizeUrl(provider, { redirectUri, ...pkce }));
    },
    complete: async () => {
      const answer = new URLSearchParams(location.search);
      const attempt = readAttempt();
      if (!answer.has('state') || (!answer.has('code') && !answer.has('error'))) return undefined;
      const hash = attempt?.hash ?? '';
      history.replaceState(null, '', `/${hash}`);
      sessionStorage.removeItem(attemptKey);
      // Somebody else's login must not become this person's.
      if (attempt === undefined || answer.get('state') !== attempt.state) {
        throw new Error('That login was not begun here. Begin it again.');
      }
      const code = answer.get('code');
      if (code === null) throw new Error(answer.get('error_description') ?? 'The login was refused.');
      const codeVerifier = attempt.verifier;
      save(await auth.createToken({ grantType: 'authorization_code', code, codeVerifier, redirectUri }));
      return hash;
    },
    end: async () => {
      const tokens = readTokens();
      sessionStorage.removeItem(tokensKey);
      if (tokens !== undefined) await auth.revokeToken({ token: tokens.refreshToken ?? tokens.accessToken });
    },
    forget: () => sessionStorage.removeItem(tokensKey),
  };
}

function readTokens(): Tokens | undefined {
  return JSON.parse(sessionStorage.getItem(tokensKey) ?? 'null') ?? undefined;
}

function readAttempt(): Attempt | undefined {
  return JSON.parse(sessionStorage.getItem(attemptKey) ?? 'null') ?? undefined;
}
