import { readPrivateFile, updatePrivateFile } from '@sp/private-file';
import { isTimestamp, membersOf, parseJson } from './json.ts';
import { assertVersion, corruptedSessions } from './session-file.ts';
import { createSessionStore, type SessionStore } from './session-store.ts';
import { parseStoredSession, toStoredSession } from './session-wire.ts';
import type { TokenExpiryOptions } from './token-expiry.ts';

/**
 * The sessions of a `sessions/index.json`, or `undefined` when there is no file.
 *
 * @throws {CredentialsError} `SP_SESSION_CORRUPTED`, `SP_SESSION_VERSION`
 * @throws {PrivateFileError} of `@sp/private-file`, when the file cannot be opened safely
 * @example
 * const store = (await loadSessionStore('/site/.systemprompt/sessions/index.json')) ?? createSessionStore();
 */
export async function loadSessionStore(path: string): Promise<SessionStore | undefined> {
  const text = await readPrivateFile(path);
  return text === undefined ? undefined : parseStore(path, text);
}

/** Writes all sessions, for this user only and all or nothing; those that are not in the store are gone. */
export async function saveSessionStore(path: string, store: SessionStore): Promise<void> {
  await updatePrivateFile(path, (before) => formatStore(store, before));
}

/**
 * Changes the sessions one process at a time, so that no change is lost, and gives the changed store. A missing file is
 * an empty store.
 *
 * @throws {CredentialsError} as {@link loadSessionStore}; a damaged file stays as it is
 */
export async function updateSessionStore(
  path: string,
  update: (store: SessionStore) => SessionStore,
  options: TokenExpiryOptions = {},
): Promise<SessionStore> {
  let store = createSessionStore(options);
  await updatePrivateFile(path, (before) => {
    const old = before === undefined ? store : parseStore(path, before);
    store = update(old);
    return store === old && before !== undefined ? undefined : formatStore(store, before);
  });
  return store;
}

function parseStore(path: string, text: string): SessionStore {
  const value = parseJson(text);
  assertVersion(path, { value, minVersion: 1, maxVersion: 1 });
  const members = new Map(membersOf(value));
  const stored = members.get('sessions');
  if (typeof stored !== 'object' || stored === null || Array.isArray(stored)) {
    throw corruptedSessions(path, '`sessions` is not a JSON object');
  }
  const sessions = membersOf(stored).map(([key, item]) => {
    const { session, reason } = parseStoredSession(item);
    if (session === undefined) throw corruptedSessions(path, `a session is not valid: ${reason}`);
    return [key, session] as const;
  });
  const updatedAt = members.get('updated_at');
  if (typeof updatedAt !== 'string' || !isTimestamp(updatedAt)) {
    throw corruptedSessions(path, '`updated_at` is not an RFC 3339 time');
  }
  return {
    version: 1,
    sessions: new Map(sessions),
    activeKey: readName(path, { members, key: 'active_key' }),
    activeProfileName: readName(path, { members, key: 'active_profile_name' }),
    updatedAt: new Date(updatedAt),
  };
}

function readName(
  path: string,
  { members, key }: { readonly members: ReadonlyMap<string, unknown>; readonly key: string },
): string | undefined {
  const value = members.get(key) ?? undefined;
  if (value === undefined || typeof value === 'string') return value;
  throw corruptedSessions(path, `\`${key}\` is not a text`);
}

/** The file's next text; unknown keys of the text before stay, those of a session as long as it is the same one. */
function formatStore(store: SessionStore, before: string | undefined): string {
  const old = before === undefined ? undefined : parseJson(before);
  const oldSessions = new Map(membersOf(new Map(membersOf(old)).get('sessions')));
  const sessions = [...store.sessions].map(([key, session]) => {
    const known = oldSessions.get(key);
    const isSame = new Map(membersOf(known)).get('session_id') === session.sessionId;
    return [key, toStoredSession(session, isSame ? known : undefined)] as const;
  });
  const stored = {
    version: store.version,
    sessions: Object.fromEntries(sessions),
    active_key: store.activeKey ?? null,
    active_profile_name: store.activeProfileName,
    updated_at: store.updatedAt.toISOString(),
  };
  const others = membersOf(old).filter(([key]) => !Object.hasOwn(stored, key));
  return JSON.stringify(Object.fromEntries([...Object.entries(stored), ...others]), null, 2);
}
