import { type CliSession, isSessionExpired, isSessionValid, touchSession } from './cli-session.ts';
import { fromStorageKey, type SessionKey, toStorageKey } from './session-key.ts';
import type { TokenExpiryOptions } from './token-expiry.ts';

/** The sessions of a project, one per tenant and one local. A value: the functions here give a changed one. */
export interface SessionStore {
  /** Of the format. */
  readonly version: 1;
  /** By storage key: `local`, or `tenant_<id>`. */
  readonly sessions: ReadonlyMap<string, CliSession>;
  /** The storage key of the session in use. */
  readonly activeKey?: string | undefined;
  /** The profile of the session in use. */
  readonly activeProfileName?: string | undefined;
  /** When it was last changed. */
  readonly updatedAt: Date;
}

/** A store without sessions. */
export function createSessionStore(options: TokenExpiryOptions = {}): SessionStore {
  const { now = Date.now } = options;
  return { version: 1, sessions: new Map(), updatedAt: new Date(now()) };
}

/** The session of a key. */
export function findSession(store: SessionStore, key: SessionKey): CliSession | undefined {
  return store.sessions.get(toStorageKey(key));
}

/** The session of a key, if it can be used. */
export function findValidSession(
  store: SessionStore,
  key: SessionKey,
  options: TokenExpiryOptions = {},
): CliSession | undefined {
  const session = findSession(store, key);
  return session !== undefined && isSessionValid(session, options) ? session : undefined;
}

/** The first session of a profile that can be used. */
export function findSessionByProfileName(
  store: SessionStore,
  profileName: string,
  options: TokenExpiryOptions = {},
): CliSession | undefined {
  const sessions = [...store.sessions.values()];
  return sessions.find((session) => session.profileName === profileName && isSessionValid(session, options));
}

/** Adds the session, in place of the one that the key had. */
export function upsertSession(
  store: SessionStore,
  key: SessionKey,
  options: { readonly session: CliSession } & TokenExpiryOptions,
): SessionStore {
  const sessions = new Map(store.sessions).set(toStorageKey(key), options.session);
  return changed({ ...store, sessions }, options);
}

/** Takes the session of a key out; the same store when there is none. */
export function removeSession(store: SessionStore, key: SessionKey, options: TokenExpiryOptions = {}): SessionStore {
  const sessions = new Map(store.sessions);
  return sessions.delete(toStorageKey(key)) ? changed({ ...store, sessions }, options) : store;
}

/** What becomes active besides the key. */
export interface SetActiveSessionOptions extends TokenExpiryOptions {
  /** The profile to note beside it. @defaultValue the profile that is active */
  readonly profileName?: string | undefined;
  /** Where the profile is; kept with the key's session. */
  readonly profilePath?: string | undefined;
}

/** Makes a key the one in use; it need not have a session yet. */
export function setActiveSession(
  store: SessionStore,
  key: SessionKey,
  options: SetActiveSessionOptions = {},
): SessionStore {
  const { profileName: activeProfileName = store.activeProfileName, profilePath, now } = options;
  const activeKey = toStorageKey(key);
  const session = store.sessions.get(activeKey);
  const sessions =
    session === undefined || profilePath === undefined
      ? store.sessions
      : new Map(store.sessions).set(activeKey, touchSession(session, { profilePath, now }));
  return changed({ ...store, sessions, activeKey, activeProfileName }, options);
}

/** The key in use. */
export function activeSessionKey(store: SessionStore): SessionKey | undefined {
  return store.activeKey === undefined ? undefined : fromStorageKey(store.activeKey);
}

/** The session in use, if it can be used. */
export function activeSession(store: SessionStore, options: TokenExpiryOptions = {}): CliSession | undefined {
  const key = activeSessionKey(store);
  return key && findValidSession(store, key, options);
}

/** Takes out the sessions whose time is over; the same store when there are none. */
export function pruneExpiredSessions(store: SessionStore, options: TokenExpiryOptions = {}): SessionStore {
  const kept = [...store.sessions].filter(([, session]) => !isSessionExpired(session, options));
  return kept.length === store.sessions.size ? store : changed({ ...store, sessions: new Map(kept) }, options);
}

function changed(store: SessionStore, { now = Date.now }: TokenExpiryOptions): SessionStore {
  return { ...store, updatedAt: new Date(now()) };
}
