import { randomBytes } from 'node:crypto';
import type { OAuthProvider } from '@sp/cloud-api/contract';
import { and, eq, gt, lt } from 'drizzle-orm';
import type { Store } from '../store/database.ts';
import { loginRequests } from '../store/schema.ts';

/** How long a person has to log in at the provider. */
const lifetimeMs = 10 * 60_000;

/** What a client asked for when its login began. */
export type LoginRequest = typeof loginRequests.$inferSelect;

/** Remembers a login that begins; the result is the `state` for the provider. */
export async function createLoginRequest(
  { store, now = Date.now }: { readonly store: Store; readonly now?: (() => number) | undefined },
  request: {
    readonly provider: OAuthProvider;
    readonly redirectUri: string;
    readonly clientState: string | undefined;
    readonly codeChallenge: string | undefined;
    readonly offline: boolean;
    readonly client: string | undefined;
    /** The code of the device login that this login is for; there is no program to go back to then. */
    readonly userCode?: string | undefined;
  },
): Promise<string> {
  const id = randomBytes(32).toString('base64url');
  await store.db.delete(loginRequests).where(lt(loginRequests.expiresAt, new Date(now())));
  await store.db.insert(loginRequests).values({ id, ...request, expiresAt: new Date(now() + lifetimeMs) });
  return id;
}

/** Takes a login out of the books: whoever comes second with the same `state` gets `undefined`. */
export async function claimLoginRequest(
  { store, now = Date.now }: { readonly store: Store; readonly now?: (() => number) | undefined },
  { state, provider }: { readonly state: string; readonly provider: OAuthProvider },
): Promise<LoginRequest | undefined> {
  // Made up, and perhaps of characters that the database cannot take.
  if (!/^[\w-]{43}$/.test(state)) return undefined;
  const [row] = await store.db
    .delete(loginRequests)
    .where(
      and(
        eq(loginRequests.id, state),
        eq(loginRequests.provider, provider),
        gt(loginRequests.expiresAt, new Date(now())),
      ),
    )
    .returning();
  return row;
}
