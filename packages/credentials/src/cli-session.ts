import { CredentialsError } from './credentials-error.ts';
import { localSessionKey, type SessionKey, sessionKeyOf } from './session-key.ts';
import { sessionProblem } from './session-rules.ts';
import type { TokenExpiryOptions } from './token-expiry.ts';

/** Who somebody is to the tenant's server; a value of a newer one is kept. */
export type SessionUserType = 'admin' | 'user' | 'a2a' | 'mcp' | 'service' | 'anon' | 'unknown' | (string & {});

/** A session of the command line with a tenant's server, or with the local one. */
export interface CliSession {
  /** Of the format; 4 in new ones. */
  readonly version: number;
  /** A tenant's id, or `local`; absent means local too. */
  readonly tenantKey?: string | undefined;
  /** The profile that it was made with. */
  readonly profileName: string;
  /** That profile's `profile.yaml`. */
  readonly profilePath?: string | undefined;
  /** The bearer token of the session. A secret. */
  readonly sessionToken: string;
  /** The server's name for the session. */
  readonly sessionId: string;
  /** The conversation that commands go on with. */
  readonly contextId: string;
  /** Who it belongs to. */
  readonly userId: string;
  /** Their e-mail address. */
  readonly userEmail: string;
  /** What they are to the server. */
  readonly userType: SessionUserType;
  /** When it was made. */
  readonly createdAt: Date;
  /** From then on it cannot be used. */
  readonly expiresAt: Date;
  /** When it was last touched. */
  readonly lastUsed: Date;
}

/** What a new session is made of. */
export interface CreateCliSessionOptions extends TokenExpiryOptions {
  /** The profile that it is made with: letters, digits, `_` and `-`. */
  readonly profileName: string;
  /** That profile's `profile.yaml`. */
  readonly profilePath?: string | undefined;
  /** Whose server it is for. @defaultValue none, which means local */
  readonly key?: SessionKey | undefined;
  /** The bearer token of the session. A secret. */
  readonly sessionToken: string;
  /** The server's name for the session. */
  readonly sessionId: string;
  /** The conversation that commands go on with. */
  readonly contextId: string;
  /** Who it belongs to. @defaultValue 'system' */
  readonly userId?: string | undefined;
  /** Their e-mail address. @defaultValue 'system@local.invalid' */
  readonly userEmail?: string | undefined;
  /** What they are to the server. @defaultValue 'admin' */
  readonly userType?: SessionUserType | undefined;
}

/** The version that is written. */
export const sessionVersion = 4;
const lifetimeMs = 24 * 60 * 60_000;

/**
 * Makes a session that lasts 24 hours.
 *
 * @throws {CredentialsError} `SP_SESSION_INVALID`: the profile's name or the e-mail address breaks a rule
 */
export function createCliSession(options: CreateCliSessionOptions): CliSession {
  const { userId = 'system', userEmail = 'system@local.invalid', userType = 'admin', now = Date.now } = options;
  const { profileName, profilePath, key, sessionToken, sessionId, contextId } = options;
  const createdAt = new Date(now());
  const session: CliSession = {
    version: sessionVersion,
    tenantKey: key && (key.type === 'Local' ? localSessionKey : key.value),
    profileName,
    profilePath,
    sessionToken,
    sessionId,
    contextId,
    userId,
    userEmail,
    userType,
    createdAt,
    expiresAt: new Date(createdAt.getTime() + lifetimeMs),
    lastUsed: createdAt,
  };
  const reason = sessionProblem(session);
  if (reason === undefined) return session;
  throw new CredentialsError('SP_SESSION_INVALID', `Cannot make a session: ${reason}`, { reason });
}

/** Whether the session's time is over. */
export function isSessionExpired(session: CliSession, options: TokenExpiryOptions = {}): boolean {
  const { now = Date.now } = options;
  return now() >= session.expiresAt.getTime();
}

/** Whether the session can be used: it has a token, and time left. */
export function isSessionValid(session: CliSession, options: TokenExpiryOptions = {}): boolean {
  return session.sessionToken !== '' && !isSessionExpired(session, options);
}

/** What the session is for. */
export function keyOfSession(session: CliSession): SessionKey {
  return sessionKeyOf(session.tenantKey);
}

/** Whether the session is for this tenant, or for the local project. */
export function isSessionFor(session: CliSession, key: SessionKey): boolean {
  if (key.type === 'Local') return session.tenantKey === undefined || session.tenantKey === localSessionKey;
  return session.tenantKey === key.value;
}

/** The session with changes, used just now. Without changes it is only that. */
export function touchSession(
  session: CliSession,
  changes: Partial<Pick<CliSession, 'contextId' | 'profilePath'>> & TokenExpiryOptions = {},
): CliSession {
  const { now = Date.now, contextId = session.contextId, profilePath = session.profilePath } = changes;
  return { ...session, contextId, profilePath, lastUsed: new Date(now()) };
}
