import { createHash, randomBytes } from 'node:crypto';
import type { DeviceLogin } from '@sp/cloud-api/contract';
import { and, eq, gt, lt } from 'drizzle-orm';
import type { LoginTrail } from '../audit/login-trail.ts';
import { ApiFailure } from '../http/errors.ts';
import { deviceLogins, users } from '../store/schema.ts';
import type { SessionDeps } from '../tokens/login-sessions.ts';
import type { FinishedLogin } from '../tokens/login-tokens.ts';
import { createUserCode } from './device-codes.ts';

/** How long a person has to allow a login, in seconds. */
const lifetimeSeconds = 900;
/** The least number of seconds between two polls, and how many are added for one that comes too early. */
const intervalSeconds = 5;

/** Begins the login of a program on a computer without a browser (RFC 8628). */
export async function createDeviceLogin(
  { store, now = Date.now }: SessionDeps,
  request: { readonly offline: boolean; readonly client: string | undefined; readonly baseUrl: string },
): Promise<DeviceLogin> {
  const { offline, client, baseUrl } = request;
  const deviceCode = randomBytes(32).toString('base64url');
  const userCode = createUserCode();
  // For a while after their end they are kept, so that a program that still polls hears `expired_token`.
  await store.db.delete(deviceLogins).where(lt(deviceLogins.expiresAt, new Date(now() - 2 * lifetimeSeconds * 1000)));
  await store.db.insert(deviceLogins).values({
    deviceCodeHash: hash(deviceCode),
    userCode,
    offline,
    client,
    interval: intervalSeconds,
    createdAt: new Date(now()),
    expiresAt: new Date(now() + lifetimeSeconds * 1000),
  });
  const verificationUri = `${baseUrl}/device`;
  return {
    deviceCode,
    userCode,
    verificationUri,
    verificationUriComplete: `${verificationUri}?user_code=${userCode}`,
    expiresIn: lifetimeSeconds,
    interval: intervalSeconds,
  };
}

/** A device login that waits for a person. */
export type PendingDeviceLogin = Pick<typeof deviceLogins.$inferSelect, 'userCode' | 'client' | 'createdAt'>;

/** The login that waits under a code. */
export async function findPendingDeviceLogin(
  { store, now = Date.now }: SessionDeps,
  userCode: string,
): Promise<PendingDeviceLogin | undefined> {
  const [row] = await store.db.select().from(deviceLogins).where(isPending(userCode, now()));
  return row;
}

/** Allows or denies a login in the name of a user; `false` when none waits under the code any more. */
export async function decideDeviceLogin(
  { store, now = Date.now }: SessionDeps,
  request: {
    readonly userCode: string;
    readonly userId: string;
    readonly allow: boolean;
    readonly trail: LoginTrail;
  },
): Promise<boolean> {
  const { userCode, userId, allow, trail } = request;
  return await store.db.transaction(async (tx) => {
    const decided = await tx
      .update(deviceLogins)
      .set({ status: allow ? 'allowed' : 'denied', userId })
      .where(isPending(userCode, now()))
      .returning({ userCode: deviceLogins.userCode });
    if (decided.length === 0) return false;
    await trail.record({ userId, outcome: 'succeeded' }, { tx });
    return true;
  });
}

/**
 * Asks for the outcome. The login that was allowed is given once.
 * @throws {ApiFailure} authorization_pending, slow_down, access_denied, expired_token, invalid_grant
 */
export async function pollDeviceLogin(
  { store, now = Date.now }: SessionDeps,
  deviceCode: string,
): Promise<FinishedLogin> {
  const outcome = await store.db.transaction(async (tx) => {
    const own = eq(deviceLogins.deviceCodeHash, hash(deviceCode));
    const [row] = await tx.select().from(deviceLogins).where(own).for('update');
    if (row === undefined) return 'invalid_grant';
    if (row.expiresAt.getTime() <= now()) return 'expired_token';
    if (row.status === 'denied') return 'access_denied';
    if (row.status === 'pending') {
      const early = row.polledAt !== null && now() - row.polledAt.getTime() < row.interval * 1000;
      const interval = early ? row.interval + intervalSeconds : row.interval;
      await tx
        .update(deviceLogins)
        .set({ polledAt: new Date(now()), interval })
        .where(own);
      return early ? 'slow_down' : 'authorization_pending';
    }
    await tx.delete(deviceLogins).where(own);
    const [user] = await tx
      .select({ id: users.id, email: users.email })
      .from(users)
      .where(eq(users.id, row.userId ?? ''));
    return user === undefined ? 'invalid_grant' : { user, offline: row.offline, client: row.client ?? undefined };
  });
  if (typeof outcome !== 'string') return outcome;
  throw new ApiFailure(reasons[outcome], { status: 400, code: outcome });
}

const reasons = {
  invalid_grant: 'The device code is unknown or used.',
  expired_token: 'Nobody allowed the login in time.',
  access_denied: 'The login was denied.',
  authorization_pending: 'The login waits for a person.',
  slow_down: 'The login waits for a person; ask less often.',
} as const;

function isPending(userCode: string, now: number) {
  return and(
    eq(deviceLogins.userCode, userCode),
    eq(deviceLogins.status, 'pending'),
    gt(deviceLogins.expiresAt, new Date(now)),
  );
}

function hash(code: string): string {
  return createHash('sha256').update(code).digest('hex');
}
