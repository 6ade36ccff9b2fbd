import { eq, sql } from 'drizzle-orm';
import { deviceAttempts } from '../store/schema.ts';
import type { SessionDeps } from '../tokens/login-sessions.ts';

/** So many wrong codes a person may type in {@link windowMs}; there are 25,600,000,000 codes. */
const limit = 10;
const windowMs = 15 * 60_000;

/**
 * Counts one attempt before its code is looked at, so that attempts at once count too; `false` when there were too many.
 */
export async function countDeviceAttempt({ store, now = Date.now }: SessionDeps, userId: string): Promise<boolean> {
  const since = new Date(now());
  const isOver = sql`${deviceAttempts.since} < ${new Date(now() - windowMs)}`;
  const [row] = await store.db
    .insert(deviceAttempts)
    .values({ userId, count: 1, since })
    .onConflictDoUpdate({
      target: deviceAttempts.userId,
      set: {
        count: sql`case when ${isOver} then 1 else ${deviceAttempts.count} + 1 end`,
        since: sql`case when ${isOver} then excluded.since else ${deviceAttempts.since} end`,
      },
    })
    .returning({ count: deviceAttempts.count });
  return row !== undefined && row.count <= limit;
}

/** Takes one attempt back, as its code was right. Those before it stay: a code of one's own must not make up for guesses. */
export async function uncountDeviceAttempt({ store }: SessionDeps, userId: string): Promise<void> {
  const count = sql`greatest(${deviceAttempts.count} - 1, 0)`;
  await store.db.update(deviceAttempts).set({ count }).where(eq(deviceAttempts.userId, userId));
}
