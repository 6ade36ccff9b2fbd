import { createHash, randomBytes } from 'node:crypto';
import { and, eq, lt } from 'drizzle-orm';
import { type LoginTrail, refreshTokenReused } from '../audit/login-trail.ts';
import { ApiFailure } from '../http/errors.ts';
import type { Vault } from '../ports/vault.ts';
import type { Transaction } from '../store/database.ts';
import { loginSessions, refreshTokens } from '../store/schema.ts';
import type { SessionDeps } from './login-sessions.ts';

/** How long a session lasts that nobody refreshes: 180 days. */
export const refreshLifetimeMs = 180 * 24 * 60 * 60_000;
/** For so long a replaced token gives the same successor once more: answers get lost, and programs run twice. */
const graceMs = 60_000;
/** Replaced tokens are known for so long; a use of an older one is refused without ending the session. */
const keepReplacedMs = 30 * 24 * 60 * 60_000;

/** Makes the first refresh token of a session. */
export async function createRefreshToken(tx: Transaction, sessionId: string, now: number): Promise<string> {
  const token = `sprt_${randomBytes(32).toString('base64url')}`;
  await tx.insert(refreshTokens).values({ tokenHash: hash(token), sessionId, createdAt: new Date(now) });
  return token;
}

/**
 * Replaces a refresh token by its successor. A token that was replaced longer ago than a minute has been stolen, or its
 * successor has: its session ends.
 * @throws {ApiFailure} invalid_grant
 */
export async function rotateRefreshToken(
  { store, vault, trail, now = Date.now }: SessionDeps & { readonly vault: Vault; readonly trail: LoginTrail },
  token: string,
): Promise<{ readonly sessionId: string; readonly userId: string; readonly refreshToken: string }> {
  const rotated = await store.db.transaction(async (tx) => {
    const session = await lockSession(tx, token);
    if (session === undefined) return undefined;
    const moment = new Date(now());
    if (session.revokedAt !== null || session.expiresAt <= moment) return undefined;
    // Read under the session's lock: the one before may have replaced it just now.
    const [row] = await tx
      .select()
      .from(refreshTokens)
      .where(eq(refreshTokens.tokenHash, hash(token)));
    if (row === undefined) return undefined;
    const refreshToken = successorOf(vault, token);
    const { id: sessionId, userId } = session;
    if (row.replacedAt === null) {
      await tx.update(refreshTokens).set({ replacedAt: moment }).where(eq(refreshTokens.tokenHash, row.tokenHash));
      await tx.insert(refreshTokens).values({ tokenHash: hash(refreshToken), sessionId, createdAt: moment });
      await forgetOld(tx, { sessionId, before: new Date(now() - keepReplacedMs) });
    } else if (now() - row.replacedAt.getTime() > graceMs) {
      await tx.update(loginSessions).set({ revokedAt: moment }).where(eq(loginSessions.id, sessionId));
      await trail.record({ userId, sessionId, outcome: 'refused', code: refreshTokenReused }, { tx });
      return undefined;
    }
    const expiresAt = new Date(now() + refreshLifetimeMs);
    await tx.update(loginSessions).set({ lastUsedAt: moment, expiresAt }).where(eq(loginSessions.id, sessionId));
    await trail.record({ userId, sessionId, outcome: 'succeeded' }, { tx });
    return { sessionId, userId, refreshToken };
  });
  if (rotated !== undefined) return rotated;
  throw new ApiFailure('The refresh token is unknown, used, expired or revoked.', {
    status: 400,
    code: 'invalid_grant',
  });
}

/** The session that a refresh token belongs to. */
export async function findRefreshSession({ store }: SessionDeps, token: string): Promise<string | undefined> {
  const row = await store.db.query.refreshTokens.findFirst({ where: eq(refreshTokens.tokenHash, hash(token)) });
  return row?.sessionId;
}

async function lockSession(tx: Transaction, token: string): Promise<typeof loginSessions.$inferSelect | undefined> {
  const [row] = await tx
    .select({ session: loginSessions })
    .from(refreshTokens)
    .innerJoin(loginSessions, eq(loginSessions.id, refreshTokens.sessionId))
    .where(eq(refreshTokens.tokenHash, hash(token)))
    .for('update', { of: loginSessions });
  return row?.session;
}

async function forgetOld(
  tx: Transaction,
  { sessionId, before }: { readonly sessionId: string; readonly before: Date },
): Promise<void> {
  await tx
    .delete(refreshTokens)
    .where(and(eq(refreshTokens.sessionId, sessionId), lt(refreshTokens.replacedAt, before)));
}

/** Made from the token and a key of the vault, so that it can be given out again although only its hash is kept. */
function successorOf(vault: Vault, token: string): string {
  return `sprt_${vault.derive(`refresh-token|${token}`).toString('base64url')}`;
}

function hash(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}
