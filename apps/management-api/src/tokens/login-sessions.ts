import type { LoginSession } from '@sp/cloud-api/contract';
import { and, desc, eq, gt, isNull, lt, or } from 'drizzle-orm';
import type { LoginTrail } from '../audit/login-trail.ts';
import type { Store, Transaction } from '../store/database.ts';
import { loginSessions } from '../store/schema.ts';

/** What the functions of logins stand on. */
export interface SessionDeps {
  readonly store: Store;
  /** Milliseconds since 1970. @defaultValue `Date.now` */
  readonly now?: (() => number) | undefined;
}

const dayMs = 24 * 60 * 60_000;
/** Ended sessions are kept for so long, to say what happened. */
const keepEndedMs = 30 * dayMs;

/** Begins a session; those of the user that are long over are forgotten. */
export async function createLoginSession(
  tx: Transaction,
  request: {
    readonly userId: string;
    readonly client: string | undefined;
    readonly now: number;
    readonly lifetimeMs: number;
  },
): Promise<string> {
  const { userId, client, now, lifetimeMs } = request;
  const over = or(lt(loginSessions.expiresAt, new Date(now)), lt(loginSessions.revokedAt, new Date(now - keepEndedMs)));
  await tx.delete(loginSessions).where(and(eq(loginSessions.userId, userId), over));
  const moment = new Date(now);
  const [row] = await tx
    .insert(loginSessions)
    .values({ userId, client, createdAt: moment, lastUsedAt: moment, expiresAt: new Date(now + lifetimeMs) })
    .returning({ id: loginSessions.id });
  if (row === undefined) throw new Error('The database returned no row for a new session.');
  return row.id;
}

/** Until when the session stands; `undefined` when it does not any more. */
export async function findSessionEnd({ store, now = Date.now }: SessionDeps, id: string): Promise<Date | undefined> {
  const [row] = await store.db
    .select({ expiresAt: loginSessions.expiresAt })
    .from(loginSessions)
    .where(and(eq(loginSessions.id, id), isOpen(now())));
  return row?.expiresAt;
}

/** The user's sessions that have not ended, the latest used first. */
export async function listLoginSessions(
  { store, now = Date.now }: SessionDeps,
  request: { readonly userId: string; readonly currentId: string | undefined },
): Promise<LoginSession[]> {
  const rows = await store.db
    .select()
    .from(loginSessions)
    .where(and(eq(loginSessions.userId, request.userId), isOpen(now())))
    .orderBy(desc(loginSessions.lastUsedAt), desc(loginSessions.createdAt));
  return rows.map((row) => ({
    id: row.id,
    client: row.client ?? undefined,
    createdAt: row.createdAt.toISOString(),
    lastUsedAt: row.lastUsedAt.toISOString(),
    expiresAt: row.expiresAt.toISOString(),
    current: row.id === request.currentId,
  }));
}

/** Ends a session, of this user only where one is named, and leaves it in `trail`; `false` when there is none that stands. */
export async function endLoginSession(
  { store, now = Date.now }: SessionDeps,
  request: { readonly id: string; readonly userId?: string | undefined; readonly trail?: LoginTrail | undefined },
): Promise<boolean> {
  const { id, userId, trail } = request;
  const owned = userId === undefined ? undefined : eq(loginSessions.userId, userId);
  return await store.db.transaction(async (tx) => {
    const [ended] = await tx
      .update(loginSessions)
      .set({ revokedAt: new Date(now()) })
      .where(and(eq(loginSessions.id, id), owned, isOpen(now())))
      .returning({ userId: loginSessions.userId });
    if (ended === undefined) return false;
    await trail?.record({ userId: ended.userId, sessionId: id, outcome: 'succeeded' }, { tx });
    return true;
  });
}

function isOpen(now: number) {
  return and(isNull(loginSessions.revokedAt), gt(loginSessions.expiresAt, new Date(now)));
}
