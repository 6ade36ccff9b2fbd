import { readPrivateFile } from '@sp/private-file';
import { TenantsError } from '../tenants-error.ts';
import { parseJsonObject } from './json-object.ts';

/**
 * The secrets in a profile's `secrets.json` for sending them somewhere: its members that are text and not empty, by
 * their names in the file. `undefined` when there is no file. To use them, see `resolveSecrets`.
 *
 * @throws {@link TenantsError} `SP_PROFILE_SECRETS_INVALID` when it is no JSON object
 */
export async function loadSecrets(
  path: string,
  options: {
    /** Told of each member that is left out although it has a value, because that is no text. @defaultValue nobody is */
    readonly onDropped?: ((member: string) => void) | undefined;
  } = {},
): Promise<Readonly<Record<string, string>> | undefined> {
  const text = await readPrivateFile(path);
  if (text === undefined) return undefined;
  const members = parseJsonObject(text);
  if (members === undefined) {
    throw new TenantsError('SP_PROFILE_SECRETS_INVALID', `Cannot read ${path}: it is not a JSON object`, { path });
  }
  for (const [member, value] of members) {
    if (typeof value !== 'string' && value !== null) options.onDropped?.(member);
  }
  return Object.fromEntries([...members].filter((entry): entry is [string, string] => isFilled(entry[1])));
}

function isFilled(value: unknown): boolean {
  return typeof value === 'string' && value !== '';
}
