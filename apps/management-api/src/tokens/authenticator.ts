import { createHash } from 'node:crypto';
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
  /** Forgets what it remembers: called when a token or a session has ended. */
  clear(): void;
}

/** So many tokens are remembered at most. */
const capacity = 10_000;

/**
 * Verifies tokens, and remembers good ones for `cacheMs`: for so long the end of a session that another process ended
 * is not noticed. What this process ended is noticed at once, by {@link Authenticator.clear}.
 */
export function createAuthenticator(
  deps: SessionDeps & { readonly tokens: Pick<AccessTokens, 'verify'>; readonly cacheMs: number },
): Authenticator {
  const { tokens, cacheMs, now = Date.now } = deps;
  const known = new Map<string, { readonly caller: Caller; readonly until: number }>();
  // Counts what was forgotten: what was verified before must not be remembered after.
  let generation = 0;

  async function look(token: string): Promise<Caller | undefined> {
    if (token.startsWith('spc_')) {
      const found = await verifyApiToken(deps, token);
      if (found === undefined) return undefined;
      const { userId, email, ...apiToken } = found;
      return { id: userId, email, apiToken };
    }
    const found = await tokens.verify(token);
    return found && { id: found.userId, email: found.email, sessionId: found.sessionId };
  }

  return {
    verify: async (token) => {
      // Tokens themselves are not kept in memory longer than the request.
      const key = createHash('sha256').update(token).digest('base64');
      const remembered = known.get(key);
      if (remembered !== undefined && remembered.until > now()) return remembered.caller;
      const before = generation;
      const caller = await look(token);
      if (caller === undefined || cacheMs === 0 || before !== generation) return caller;
      if (known.size >= capacity) known.clear();
      const expires = caller.apiToken?.expiresAt.getTime() ?? Infinity;
      known.set(key, { caller, until: Math.min(now() + cacheMs, expires) });
      return caller;
    },
    clear: () => {
      generation += 1;
      known.clear();
    },
  };
}
