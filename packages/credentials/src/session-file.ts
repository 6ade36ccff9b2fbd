import { deletePrivateFile, readPrivateFile, updatePrivateFile } from '@sp/private-file';
import { type CliSession, sessionVersion } from './cli-session.ts';
import { CredentialsError } from './credentials-error.ts';
import { membersOf, parseJson } from './json.ts';
import { parseStoredSession, toStoredSession } from './session-wire.ts';

const minVersion = 3;

/**
 * The session of a `session.json`, or `undefined` when there is no file. One of version 3 is read as 4.
 *
 * @throws {CredentialsError} `SP_SESSION_CORRUPTED`, `SP_SESSION_VERSION`
 * @throws {PrivateFileError} of `@sp/private-file`, when the file cannot be opened safely
 */
export async function loadSession(path: string): Promise<CliSession | undefined> {
  const text = await readPrivateFile(path);
  if (text === undefined) return undefined;
  const value = parseJson(text);
  assertVersion(path, { value, minVersion, maxVersion: sessionVersion });
  const { session, reason } = parseStoredSession(value);
  if (session === undefined) throw corruptedSessions(path, reason);
  return { ...session, version: sessionVersion };
}

/** Writes the session, for this user only and all or nothing. Keys of other programs stay. */
export async function saveSession(path: string, session: CliSession): Promise<void> {
  const stored = (before: string | undefined): unknown =>
    toStoredSession(session, before === undefined ? undefined : parseJson(before));
  await updatePrivateFile(path, (before) => JSON.stringify(stored(before), null, 2));
}

/** Deletes the file, also a corrupted one. `false` when there was none. */
export async function deleteSession(path: string): Promise<boolean> {
  return deletePrivateFile(path);
}

/** Refuses a file of another version before anything else is looked at: its other members may mean something else. */
export function assertVersion(
  path: string,
  request: { readonly value: unknown; readonly minVersion: number; readonly maxVersion: number },
): void {
  const { value, minVersion: min, maxVersion: max } = request;
  const version = new Map(membersOf(value)).get('version');
  if (typeof version !== 'number' || !Number.isInteger(version)) {
    throw corruptedSessions(path, value === undefined ? 'it is not JSON' : '`version` is not a whole number');
  }
  if (version >= min && version <= max) return;
  const accepted = min === max ? `${min}` : `${min} to ${max}`;
  throw new CredentialsError(
    'SP_SESSION_VERSION',
    `Cannot read ${path}: its version is ${version}, and ${accepted} can be read`,
    { path, version, minVersion: min, maxVersion: max },
  );
}

/** The refusal of a damaged file. */
export function corruptedSessions(path: string, reason: string): CredentialsError {
  return new CredentialsError('SP_SESSION_CORRUPTED', `Cannot use the sessions in ${path}: ${reason}`, {
    path,
    reason,
  });
}
