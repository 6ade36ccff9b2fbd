import { hash } from 'node:crypto';
import type { AccessTokens } from './access-tokens.ts';
import { verifyApiToken } from './api-tokens.ts';
import type { SessionDeps } from './login-sessions.ts';

/** Who a request comes from, and what they showed for it. */
export interface Caller {
  readonly id: string;
  readonly email: string;
  /** The login whose token it is. */
  readonly sessionId?: string | undefined;
  /** The API token that it is; a login may do everything. */
  readonly apiToken?:
    | {
        readonly id: string;
        readonly scopes: readonly string[];
        /** The one tenant that it is for. */
        readonly tenantId: string | undefined;
        readonly expiresAt: Date;
      }
    | undefined;
}

/** Tells whose token it is, of either kind. */
export interface Authenticator {
  /** `undefined` for a token that is not, or no longer, good. */
  verify(token: string): Promise<Caller | undefined>;
  /** The same for a token that was verified a moment ago; `undefined`: it has to be verified. */
  recall(token: string): Caller | undefined;
  /** Forgets what it remembers: called when a token or a session has ended. */
  clear(): void;
}

/** So many tokens are remembered at most. */
const capacity = 10_000;

/** A good token is verified again after so long, in ms: what it stands on may change in ways that nobody tells. */
const rememberMs = 30_000;

/**
 * Verifies tokens, and remembers good ones while every change in the store is heard: the end of a session or a token,
 * whoever ended it, is known when its notice has come.
 */
export function createAuthenticator(
  deps: SessionDeps & { readonly tokens: Pick<AccessTokens, 'verify'>; readonly signal?: AbortSignal | undefined },
): Authenticator {
  const { store, tokens, now = Date.now, signal } = deps;
  const known = new Map<string, { readonly caller: Caller; readonly until: number }>();
  // Of each user: whatever happens to one is not looked for among those of all.
  const keysOf = new Map<string, Set<string>>();
  // Counts what was forgotten: what was verified before must not be remembered after.
  let generation = 0;

  const forget = (userId?: string): void => {
    generation += 1;
    if (userId === undefined) {
      known.clear();
      keysOf.clear();
    } else {
      for (const key of keysOf.get(userId) ?? []) known.delete(key);
      keysOf.delete(userId);
    }
  };
  const drop = (key: string): void => {
    const userId = known.get(key)?.caller.id;
    if (userId === undefined) return;
    known.delete(key);
    const keys = keysOf.get(userId);
    keys?.delete(key);
    if (keys?.size === 0) keysOf.delete(userId);
  };
  const remember = (key: string, { caller, until }: { readonly caller: Caller; readonly until: number }): void => {
    drop(key);
    if (known.size >= capacity)
      for (const oldest of known.keys()) {
        drop(oldest);
        break;
      }
    known.set(key, { caller, until });
    const keys = keysOf.get(caller.id) ?? new Set();
    keysOf.set(caller.id, keys.add(key));
  };
  const unsubscribe = store.notices.subscribe((notice) => {
    if (notice?.kind !== 'tenants') forget(notice?.userId);
  });
  signal?.addEventListener(
    'abort',
    () => {
      unsubscribe();
      // From here on no change is heard.
      forget();
    },
    { once: true },
  );

  async function look(token: string): Promise<{ readonly caller: Caller; readonly expiresAt: Date } | undefined> {
    if (token.startsWith('spc_')) {
      const found = await verifyApiToken(deps, token);
      if (found === undefined) return undefined;
      const { userId, email, ...apiToken } = found;
      return { caller: { id: userId, email, apiToken }, expiresAt: found.expiresAt };
    }
    const found = await tokens.verify(token);
    if (found === undefined) return undefined;
    const { userId, email, sessionId, expiresAt } = found;
    return { caller: { id: userId, email, sessionId }, expiresAt };
  }

  const find = (key: string): Caller | undefined => {
    const remembered = known.get(key);
    return remembered !== undefined && remembered.until > now() ? remembered.caller : undefined;
  };

  return {
    recall: (token) => find(digest(token)),
    verify: async (token) => {
      const key = digest(token);
      const remembered = find(key);
      if (remembered !== undefined) return remembered;
      const before = generation;
      const heard = store.notices.complete && signal?.aborted !== true;
      const found = await look(token);
      if (found === undefined) return undefined;
      const { caller, expiresAt } = found;
      if (!heard || before !== generation) return caller;
      remember(key, { caller, until: Math.min(now() + rememberMs, expiresAt.getTime()) });
      return caller;
    },
    clear: () => forget(),
  };
}

// Tokens themselves are not kept in memory longer than the request.
function digest(token: string): string {
  return hash('sha256', token, 'base64');
}
