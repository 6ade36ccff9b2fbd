import type { TokenResponse } from '@sp/cloud-api/contract';
import { eq } from 'drizzle-orm';
import type { LoginTrail } from '../audit/login-trail.ts';
import { ApiFailure } from '../http/errors.ts';
import type { Vault } from '../ports/vault.ts';
import { users } from '../store/schema.ts';
import { type AccessTokens, accessTokenSeconds } from './access-tokens.ts';
import { createLoginSession, type SessionDeps } from './login-sessions.ts';
import { createRefreshToken, refreshLifetimeMs, rotateRefreshToken } from './refresh-tokens.ts';

/** How long an access token is good that comes with a refresh token, in seconds: one hour. */
const shortSeconds = 60 * 60;

interface Deps extends SessionDeps {
  readonly vault: Vault;
  readonly tokens: Pick<AccessTokens, 'issue'>;
  /** Where it is kept who got them. */
  readonly trail: LoginTrail;
}

/** A login that came to its end. */
export interface FinishedLogin {
  readonly user: { readonly id: string; readonly email: string };
  /** Whether a refresh token was asked for. */
  readonly offline: boolean;
  /** What the program calls itself. */
  readonly client: string | undefined;
}

/** Begins a session and gives its tokens: a short one that can be refreshed, or a long one as the predecessor's are. */
export async function issueLoginTokens(deps: Deps, login: FinishedLogin): Promise<TokenResponse> {
  const { store, tokens, trail, now = Date.now } = deps;
  const { user, offline, client } = login;
  const { sessionId, refreshToken } = await store.db.transaction(async (tx) => {
    const lifetimeMs = offline ? refreshLifetimeMs : accessTokenSeconds * 1000;
    const id = await createLoginSession(tx, { userId: user.id, client, now: now(), lifetimeMs });
    const refreshToken = offline ? await createRefreshToken(tx, id, now()) : undefined;
    await trail.record({ userId: user.id, sessionId: id, outcome: 'succeeded' }, { tx });
    return { sessionId: id, refreshToken };
  });
  const ttlSeconds = offline ? shortSeconds : accessTokenSeconds;
  const { token, expiresIn } = await tokens.issue(user, { sessionId, ttlSeconds });
  return { accessToken: token, tokenType: 'Bearer', expiresIn, refreshToken };
}

/**
 * Turns a refresh token into the next pair.
 * @throws {ApiFailure} invalid_grant
 */
export async function refreshLoginTokens(deps: Deps, refreshToken: string): Promise<TokenResponse> {
  const rotated = await rotateRefreshToken(deps, refreshToken);
  const user = await deps.store.db.query.users.findFirst({
    columns: { id: true, email: true },
    where: eq(users.id, rotated.userId),
  });
  if (user === undefined) {
    throw new ApiFailure('The user of the refresh token is gone.', { status: 400, code: 'invalid_grant' });
  }
  const { token, expiresIn } = await deps.tokens.issue(user, {
    sessionId: rotated.sessionId,
    ttlSeconds: shortSeconds,
  });
  return { accessToken: token, tokenType: 'Bearer', expiresIn, refreshToken: rotated.refreshToken };
}
