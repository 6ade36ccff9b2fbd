import { deletePrivateFile, readPrivateFile, updatePrivateFile } from '@sp/private-file';
import { type CloudCredentials, parseStoredCredentials, toStoredCredentials } from './cloud-credentials.ts';
import { CredentialsError } from './credentials-error.ts';
import { membersOf, parseJson } from './json.ts';

/**
 * The credentials in the file, or `undefined` when there is no file. Expired ones too: `tokenStatus` tells.
 *
 * @throws {CredentialsError} `SP_CREDENTIALS_CORRUPTED`
 * @throws {PrivateFileError} of `@sp/private-file`, when the file cannot be opened safely
 * @example
 * const credentials = await loadCredentials('/site/.systemprompt/credentials.json');
 */
export async function loadCredentials(path: string): Promise<CloudCredentials | undefined> {
  const text = await readPrivateFile(path);
  return text === undefined ? undefined : readCredentials(path, text);
}

/**
 * Writes the credentials, for this user only and all or nothing. Keys that another program put into the file stay in
 * it; a corrupted file is replaced.
 *
 * @throws {CredentialsError} `SP_CREDENTIALS_INVALID`: they would be refused when loaded
 * @throws {PrivateFileError} of `@sp/private-file`, when the file cannot be written safely
 */
export async function saveCredentials(path: string, credentials: CloudCredentials): Promise<void> {
  await updatePrivateFile(path, (text) => formatCredentials(path, { credentials, before: text }));
}

/** Deletes the file, also a corrupted one. `false` when there was none. */
export async function deleteCredentials(path: string): Promise<boolean> {
  return deletePrivateFile(path);
}

/** The credentials that the file's text says. */
export function readCredentials(path: string, text: string): CloudCredentials {
  const value = parseJson(text);
  const { credentials, reason } = value === undefined ? { reason: 'it is not JSON' } : parseStoredCredentials(value);
  if (credentials) return credentials;
  throw new CredentialsError('SP_CREDENTIALS_CORRUPTED', `Cannot use the credentials in ${path}: ${reason}`, {
    path,
    reason,
  });
}

/** The file's next text: the credentials, and behind them what is not ours of the text before. */
export function formatCredentials(
  path: string,
  { credentials, before }: { readonly credentials: CloudCredentials; readonly before: string | undefined },
): string {
  const stored = toStoredCredentials(credentials);
  const { reason } = parseStoredCredentials(stored);
  if (reason !== undefined) {
    throw new CredentialsError('SP_CREDENTIALS_INVALID', `Cannot save the credentials: ${reason}`, { path, reason });
  }
  // A refresh token that is not given again is not one of the others' keys: it belongs to another login.
  const others = membersOf(before === undefined ? undefined : parseJson(before)).filter(
    ([key]) => !Object.hasOwn(stored, key),
  );
  return JSON.stringify(Object.fromEntries([...Object.entries(stored), ...others]), null, 2);
}
