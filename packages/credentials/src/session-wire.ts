import * as z from 'zod/mini';
import type { CliSession } from './cli-session.ts';
import { isTimestamp, membersOf } from './json.ts';
import { sessionProblem } from './session-rules.ts';

// As in `cloud-credentials.ts` every rule has a text of its own: zod's may quote the value, and one is a secret.
const text = (name: string) => z.string(`\`${name}\` is not a text`);
const moment = (name: string) => text(name).check(z.refine(isTimestamp, `\`${name}\` is not an RFC 3339 time`));

const schema = z.object(
  {
    version: z.int('`version` is not a whole number'),
    tenant_key: z.nullish(text('tenant_key')),
    profile_name: text('profile_name'),
    profile_path: z.nullish(text('profile_path')),
    session_token: text('session_token'),
    session_id: text('session_id'),
    context_id: text('context_id'),
    user_id: text('user_id'),
    user_email: text('user_email'),
    user_type: z._default(text('user_type'), 'admin'),
    created_at: moment('created_at'),
    expires_at: moment('expires_at'),
    last_used: moment('last_used'),
  },
  'it is not a JSON object',
);

/** A session, or the reason why it is none. */
export type ParsedSession =
  | { readonly session: CliSession; readonly reason?: undefined }
  | { readonly session?: undefined; readonly reason: string };

/** Checks a session as it is in a file (already JSON). */
export function parseStoredSession(value: unknown): ParsedSession {
  const parsed = schema.safeParse(value);
  if (!parsed.success) return { reason: parsed.error.issues[0]?.message ?? 'it is not valid' };
  const stored = parsed.data;
  const session: CliSession = {
    version: stored.version,
    tenantKey: stored.tenant_key ?? undefined,
    profileName: stored.profile_name,
    profilePath: stored.profile_path ?? undefined,
    sessionToken: stored.session_token,
    sessionId: stored.session_id,
    contextId: stored.context_id,
    userId: stored.user_id,
    userEmail: stored.user_email,
    userType: stored.user_type,
    createdAt: new Date(stored.created_at),
    expiresAt: new Date(stored.expires_at),
    lastUsed: new Date(stored.last_used),
  };
  const reason = sessionProblem(session);
  return reason === undefined ? { session } : { reason };
}

/** The session as files have it: these keys, in this order, and behind them what is not ours of `before`. */
export function toStoredSession(session: CliSession, before?: unknown): Readonly<Record<string, unknown>> {
  const stored = {
    version: session.version,
    tenant_key: session.tenantKey,
    profile_name: session.profileName,
    profile_path: session.profilePath,
    session_token: session.sessionToken,
    session_id: session.sessionId,
    context_id: session.contextId,
    user_id: session.userId,
    user_email: session.userEmail,
    user_type: session.userType,
    created_at: session.createdAt.toISOString(),
    expires_at: session.expiresAt.toISOString(),
    last_used: session.lastUsed.toISOString(),
  };
  const others = membersOf(before).filter(([key]) => !Object.hasOwn(stored, key));
  return Object.fromEntries([...Object.entries(stored), ...others]);
}
