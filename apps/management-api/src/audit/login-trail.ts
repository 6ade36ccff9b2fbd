import type { Context } from 'hono';
import type { Logger } from 'pino';
import type { HttpEnvironment } from '../http/app.ts';
import { failureOf } from '../http/failure-of.ts';
import { loggableError } from '../http/loggable-error.ts';
import type { Transaction } from '../store/database.ts';
import type { AuditLog, AuditOutcome } from './audit-log.ts';
import { accountChain, anonymousChain } from './chains.ts';

/** Where a request came from, as the audit log and the log name it. */
export interface RequestOrigin {
  readonly requestId: string;
  readonly address: string | undefined;
}

/** The origin of a request that is being answered. */
export function originOf(context: Context<HttpEnvironment>): RequestOrigin {
  return { requestId: context.get('requestId'), address: context.get('address') };
}

/** Where a login leaves who it was: nobody is known before it has come so far. */
export interface LoginTrail {
  /** Writes what came of it; with `tx` together with what it changes, so that nothing is changed without its entry. */
  record(
    facts: { readonly userId: string; readonly sessionId?: string | undefined } & AuditOutcome,
    options?: { readonly tx?: Transaction },
  ): Promise<void>;
}

/** The code of a refresh token that was brought long after it had been replaced: somebody has stolen it, or its successor. */
export const refreshTokenReused = 'refresh_token_reused';

/** What is no attempt: a program asks again and again, or has sent what cannot be read. */
const quiet: ReadonlySet<string> = new Set(['authorization_pending', 'slow_down', 'invalid_request']);

/** What logins and their ends stand on. */
interface Deps {
  readonly audit: Pick<AuditLog, 'append'>;
  readonly logger: Logger;
}

/** What is done, and where it came from. */
interface Attempt {
  /** `auth.login`, `auth.refresh`, … */
  readonly action: string;
  readonly origin: RequestOrigin;
}

/**
 * Does something that begins or ends a login, and keeps it in the audit log: in the user's chain what `work` recorded,
 * else in that of the unknown why it failed.
 */
export async function trailed<T>(
  deps: Deps,
  { action, origin }: Attempt,
  work: (trail: LoginTrail) => Promise<T>,
): Promise<T> {
  let recorded = false;
  const trail = createLoginTrail(deps, { action, origin });
  try {
    return await work({
      record: async (facts, options) => {
        await trail.record(facts, options);
        recorded = true;
      },
    });
  } catch (error) {
    const { status, code } = failureOf(error);
    if (!recorded && !quiet.has(code)) {
      await noteRefusal(deps, { action, origin }, { outcome: status >= 500 ? 'failed' : 'refused', status, code });
    }
    throw error;
  }
}

/** Where one attempt leaves who it was. */
export function createLoginTrail({ audit }: Pick<Deps, 'audit'>, { action, origin }: Attempt): LoginTrail {
  return {
    record: async ({ userId, ...facts }, { tx } = {}) => {
      const event = { actorKind: 'user', userId, action, ...origin, ...facts } as const;
      // A session begins once; all else can be repeated as often as somebody likes.
      const bounded = facts.outcome !== 'succeeded' || action === 'auth.refresh';
      await audit.append(accountChain(userId), event, { tx, bounded });
    },
  };
}

/** Writes that somebody unknown was refused. The refusal stands, also where that cannot be written. */
export async function noteRefusal(deps: Deps, { action, origin }: Attempt, outcome: AuditOutcome): Promise<void> {
  try {
    const event = { actorKind: 'anonymous', action, ...origin, ...outcome } as const;
    await deps.audit.append(anonymousChain, event, { bounded: true });
  } catch (error) {
    deps.logger.error({ requestId: origin.requestId, action, err: loggableError(error) }, 'audit entry not written');
  }
}
