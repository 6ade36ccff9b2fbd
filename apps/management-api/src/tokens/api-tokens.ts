import type { ApiScope, ApiToken } from '@sp/cloud-api/contract';
import { and, count, desc, eq, gt, isNull, lt, or } from 'drizzle-orm';
import type { Effect } from '../http/idempotency.ts';
import { apiTokens, users } from '../store/schema.ts';
import { hashApiToken, isApiToken, makeApiToken } from './api-token-format.ts';
import type { SessionDeps } from './login-sessions.ts';

/** A token and what it is allowed. */
export interface VerifiedApiToken {
  readonly id: string;
  readonly userId: string;
  readonly email: string;
  readonly scopes: readonly string[];
  /** The one tenant that it is for. */
  readonly tenantId: string | undefined;
  readonly expiresAt: Date;
}

/** How many good tokens a user may have. */
export const maxApiTokens = 100;

/** `lastUsedAt` is written at most so often, in ms. */
const usedEveryMs = 60_000;

/** Makes a token; `undefined` when the user has too many. */
export async function createApiToken(
  { store, now = Date.now }: SessionDeps,
  request: {
    readonly userId: string;
    readonly name: string;
    readonly scopes: readonly ApiScope[];
    readonly tenantId: string | undefined;
    readonly expiresAt: Date;
    /** Keeps the token, for whoever asks again with the same key. */
    readonly effect?: Pick<Effect, 'keep'> | undefined;
  },
): Promise<(ApiToken & { readonly token: string }) | undefined> {
  const { userId, name, tenantId, expiresAt } = request;
  const token = makeApiToken();
  return await store.db.transaction(async (tx) => {
    // One at a time, so that the count is true.
    await tx.select({ id: users.id }).from(users).where(eq(users.id, userId)).for('update');
    const [row] = await tx.select({ good: count() }).from(apiTokens).where(goodOf(userId, now()));
    if ((row?.good ?? 0) >= maxApiTokens) return undefined;
    const values = {
      userId,
      name,
      scopes: [...new Set(request.scopes)],
      tenantId,
      tokenHash: hashApiToken(token),
      createdAt: new Date(now()),
      expiresAt,
    };
    const [made] = await tx.insert(apiTokens).values(values).returning();
    if (made === undefined) throw new Error('The database returned no row for a new API token.');
    const created = { ...describe(made), token };
    await request.effect?.keep(tx, created);
    return created;
  });
}

/** The user's tokens that are good, the newest first. */
export async function listApiTokens({ store, now = Date.now }: SessionDeps, userId: string): Promise<ApiToken[]> {
  const rows = await store.db
    .select()
    .from(apiTokens)
    .where(goodOf(userId, now()))
    .orderBy(desc(apiTokens.createdAt), desc(apiTokens.id));
  return rows.map(describe);
}

/** Revokes a token of the user; `false` when there is none that is good. */
export async function revokeApiToken(
  { store, now = Date.now }: SessionDeps,
  { id, userId }: { readonly id: string; readonly userId: string },
): Promise<boolean> {
  const revoked = await store.db
    .update(apiTokens)
    .set({ revokedAt: new Date(now()) })
    .where(and(eq(apiTokens.id, id), goodOf(userId, now())))
    .returning({ id: apiTokens.id });
  return revoked.length > 0;
}

/** Whose token it is; `undefined` when it is not, or no longer, good. */
export async function verifyApiToken(
  { store, now = Date.now }: SessionDeps,
  token: string,
): Promise<VerifiedApiToken | undefined> {
  if (!isApiToken(token)) return undefined;
  const moment = new Date(now());
  const [row] = await store.db
    .select({
      id: apiTokens.id,
      userId: apiTokens.userId,
      email: users.email,
      scopes: apiTokens.scopes,
      tenantId: apiTokens.tenantId,
      expiresAt: apiTokens.expiresAt,
      lastUsedAt: apiTokens.lastUsedAt,
    })
    .from(apiTokens)
    .innerJoin(users, eq(users.id, apiTokens.userId))
    .where(
      and(eq(apiTokens.tokenHash, hashApiToken(token)), isNull(apiTokens.revokedAt), gt(apiTokens.expiresAt, moment)),
    );
  if (row === undefined) return undefined;
  const before = new Date(now() - usedEveryMs);
  if (row.lastUsedAt === null || row.lastUsedAt < before) {
    await store.db
      .update(apiTokens)
      .set({ lastUsedAt: moment })
      .where(and(eq(apiTokens.id, row.id), or(isNull(apiTokens.lastUsedAt), lt(apiTokens.lastUsedAt, before))));
  }
  const { lastUsedAt: _, tenantId, ...rest } = row;
  return { ...rest, tenantId: tenantId ?? undefined };
}

function goodOf(userId: string, now: number) {
  return and(eq(apiTokens.userId, userId), isNull(apiTokens.revokedAt), gt(apiTokens.expiresAt, new Date(now)));
}

function describe(row: typeof apiTokens.$inferSelect): ApiToken {
  return {
    id: row.id,
    name: row.name,
    scopes: row.scopes,
    tenantId: row.tenantId ?? undefined,
    createdAt: row.createdAt.toISOString(),
    expiresAt: row.expiresAt.toISOString(),
    lastUsedAt: row.lastUsedAt?.toISOString(),
  };
}
