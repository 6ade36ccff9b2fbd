import { updatePrivateFile } from '@sp/private-file';
import { parseJsonObject } from './json-object.ts';
import { invalidSecrets } from './parse-secrets.ts';

/**
 * Sets members of a `secrets.json` by their names in the file, `undefined` takes one out; all others stay as they are,
 * in their order. A file that does not exist yet is made.
 *
 * @returns whether anything is different now
 * @throws {@link TenantsError} `SP_PROFILE_SECRETS_INVALID` when the file is no JSON object; it stays as it is
 * @example
 * await editSecrets('/home/ada/site/.systemprompt/profiles/production/secrets.json', { anthropic: key });
 */
export async function editSecrets(
  path: string,
  changes: Readonly<Record<string, string | undefined>>,
  options: { /** Gives up waiting for other processes. */ readonly signal?: AbortSignal | undefined } = {},
): Promise<boolean> {
  let changed = false;
  const update = (text: string | undefined): string => {
    const members = parseJsonObject(text ?? '{}');
    if (members === undefined) throw invalidSecrets(path, [{ member: 'file', problem: 'is not a JSON object' }]);
    changed = Object.entries(changes).some(([name, value]) => members.get(name) !== value);
    if (!changed && text !== undefined) return text;
    for (const [name, value] of Object.entries(changes)) {
      if (value === undefined) members.delete(name);
      else members.set(name, value);
    }
    return JSON.stringify(Object.fromEntries(members), undefined, 2);
  };
  // The profile beside it is meant to be committed, so nothing may ignore the whole folder.
  await updatePrivateFile(path, update, { gitignore: false, signal: options.signal });
  return changed;
}
