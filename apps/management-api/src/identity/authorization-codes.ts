import { createHash, randomBytes } from 'node:crypto';
import { and, eq, gt, isNull, lt } from 'drizzle-orm';
import type { LoginTrail } from '../audit/login-trail.ts';
import { ApiFailure } from '../http/errors.ts';
import type { Store } from '../store/database.ts';
import { authorizationCodes, users } from '../store/schema.ts';
import type { FinishedLogin } from '../tokens/login-tokens.ts';
import { equalSecrets } from './equal-secrets.ts';

/** How long a client has to turn a code into a token. */
const lifetimeMs = 60_000;

interface Deps {
  readonly store: Store;
  readonly now?: (() => number) | undefined;
}

/** Makes a code that its client, and nobody else, can turn into a token once. */
export async function createAuthorizationCode(
  { store, now = Date.now }: Deps,
  request: {
    readonly userId: string;
    readonly redirectUri: string;
    readonly codeChallenge: string;
    readonly offline: boolean;
    readonly client: string | undefined;
  },
): Promise<string> {
  const code = randomBytes(32).toString('base64url');
  await store.db.delete(authorizationCodes).where(lt(authorizationCodes.expiresAt, new Date(now())));
  await store.db
    .insert(authorizationCodes)
    .values({ codeHash: hash(code), ...request, expiresAt: new Date(now() + lifetimeMs) });
  return code;
}

/**
 * Turns a code into the login that it stands for. Whatever is wrong the answer is the same, and the code is spent by the first attempt.
 * @throws {ApiFailure} invalid_grant
 */
export async function redeemAuthorizationCode(
  { store, trail, now = Date.now }: Deps & { readonly trail: LoginTrail },
  request: { readonly code: string; readonly codeVerifier: string; readonly redirectUri: string },
): Promise<FinishedLogin> {
  const [claimed] = await store.db
    .update(authorizationCodes)
    .set({ usedAt: new Date(now()) })
    .where(
      and(
        eq(authorizationCodes.codeHash, hash(request.code)),
        isNull(authorizationCodes.usedAt),
        gt(authorizationCodes.expiresAt, new Date(now())),
      ),
    )
    .returning();
  if (claimed === undefined) throw invalidGrant();
  const challenge = createHash('sha256').update(request.codeVerifier).digest('base64url');
  if (!equalSecrets(challenge, claimed.codeChallenge) || request.redirectUri !== claimed.redirectUri) {
    // Somebody has a code that is not theirs: whose it is should see that.
    await trail.record({ userId: claimed.userId, outcome: 'refused', status: 400, code: 'invalid_grant' });
    throw invalidGrant();
  }
  const user = await store.db.query.users.findFirst({
    columns: { id: true, email: true },
    where: eq(users.id, claimed.userId),
  });
  if (user === undefined) throw invalidGrant();
  return { user, offline: claimed.offline, client: claimed.client ?? undefined };
}

function hash(code: string): string {
  return createHash('sha256').update(code).digest('hex');
}

function invalidGrant(): ApiFailure {
  return new ApiFailure('The code is unknown, used, expired, or meant for another client.', {
    status: 400,
    code: 'invalid_grant',
  });
}
