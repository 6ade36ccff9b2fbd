import { accountChain } from '../audit/chains.ts';
import { listAuditEntries } from '../audit/list-entries.ts';
import { trailed } from '../audit/login-trail.ts';
import { ApiFailure } from '../http/errors.ts';
import type { Handlers } from '../http/handlers.ts';
import { endLoginSession, listLoginSessions } from '../tokens/login-sessions.ts';
import { findRefreshSession } from '../tokens/refresh-tokens.ts';
import type { RouteDeps } from './deps.ts';

type SessionHandlers = Pick<Handlers['auth'], 'revokeToken' | 'listSessions' | 'deleteSession' | 'listAuditEntries'>;

const defaultEntries = 50;

/** Where a user sees and ends their logins. */
export function sessionHandlers(deps: RouteDeps): SessionHandlers {
  const { store, tokens, now, audit } = deps;
  return {
    // The answer never says whether there was something to end (RFC 7009 §2.2).
    revokeToken: async ({ body, origin }) => {
      const id = (await findRefreshSession({ store }, body.token)) ?? (await tokens.verify(body.token))?.sessionId;
      if (id === undefined) return;
      const action = 'auth.logout';
      await trailed(deps, { action, origin }, (trail) => endLoginSession({ store, now }, { id, trail }));
    },

    listSessions: async ({ user, request }) => {
      const token = request.headers.get('authorization')?.replace(/^Bearer /i, '') ?? '';
      const currentId = (await tokens.verify(token))?.sessionId;
      return { sessions: await listLoginSessions({ store, now }, { userId: user.id, currentId }) };
    },

    deleteSession: async ({ user, params }) => {
      const { id } = params;
      const ended = isUuid(id) && (await endLoginSession({ store, now }, { id, userId: user.id }));
      if (!ended) throw new ApiFailure('There is no such session.', { status: 404, code: 'session_not_found' });
    },

    listAuditEntries: async ({ user, query: { limit = defaultEntries, before } }) => {
      await audit.settle();
      return await listAuditEntries(store, { chain: accountChain(user.id), limit, before });
    },
  };
}

function isUuid(text: string): boolean {
  return /^[\da-f]{8}-(?:[\da-f]{4}-){3}[\da-f]{12}$/i.test(text);
}
