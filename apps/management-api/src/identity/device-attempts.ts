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

/** Forgets the attempts of somebody whose code was right. */
export async function forgetDeviceAttempts({ store }: SessionDeps, userId: string): Promise<void> {
  await store.db.delete(deviceAttempts).where(eq(deviceAttempts.userId, userId));
}
