import { deletePrivateFile, readPrivateFile, updatePrivateFile } from '@sp/private-file';
import { type CloudCredentials, parseStoredCredentials, toStoredCredentials } from './cloud-credentials.ts';
import { CredentialsError } from './credentials-error.ts';

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
  if (text === undefined) return undefined;
  const value = parseJson(text);
  const { credentials, reason } = value === undefined ? { reason: 'it is not JSON' } : parseStoredCredentials(value);
  if (credentials) return credentials;
  throw new CredentialsError('SP_CREDENTIALS_CORRUPTED', `Cannot use the credentials in ${path}: ${reason}`, {
    path,
    reason,
  });
}

/**
 * Writes the credentials, for this user only and all or nothing. Keys that another program put into the file stay in
 * it; a corrupted file is replaced.
 *
 * @throws {CredentialsError} `SP_CREDENTIALS_INVALID`: they would be refused when loaded
 * @throws {PrivateFileError} of `@sp/private-file`, when the file cannot be written safely
 */
export async function saveCredentials(path: string, credentials: CloudCredentials): Promise<void> {
  const stored = toStoredCredentials(credentials);
  const { reason } = parseStoredCredentials(stored);
  if (reason !== undefined) {
    throw new CredentialsError('SP_CREDENTIALS_INVALID', `Cannot save the credentials: ${reason}`, { path, reason });
  }
  await updatePrivateFile(path, (text) => JSON.stringify({ ...stored, ...unknownKeys(text, stored) }, null, 2));
}

/** Deletes the file, also a corrupted one. `false` when there was none. */
export async function deleteCredentials(path: string): Promise<boolean> {
  return deletePrivateFile(path);
}

/** What the file says besides the credentials. */
function unknownKeys(text: string | undefined, known: object): object {
  const value = text === undefined ? undefined : parseJson(text);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return {};
  return Object.fromEntries(Object.entries(value).filter(([key]) => !Object.hasOwn(known, key)));
}

/** `undefined`: not JSON. The parser's own message is dropped because it quotes the text. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
