import { ApiFailure } from '../http/errors.ts';
import type { Handlers } from '../http/handlers.ts';
import { endLoginSession, listLoginSessions } from '../tokens/login-sessions.ts';
import { findRefreshSession } from '../tokens/refresh-tokens.ts';
import type { RouteDeps } from './deps.ts';

type SessionHandlers = Pick<Handlers['auth'], 'revokeToken' | 'listSessions' | 'deleteSession'>;

/** Where a user sees and ends their logins. */
export function sessionHandlers({ store, tokens, now }: RouteDeps): SessionHandlers {
  return {
    // The answer never says whether there was something to end (RFC 7009 §2.2).
    revokeToken: async ({ body }) => {
      const id = (await findRefreshSession({ store }, body.token)) ?? (await tokens.verify(body.token))?.sessionId;
      if (id !== undefined) await endLoginSession({ store, now }, { id });
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
  };
}

function isUuid(text: string): boolean {
  return /^[\da-f]{8}-(?:[\da-f]{4}-){3}[\da-f]{12}$/i.test(text);
}
