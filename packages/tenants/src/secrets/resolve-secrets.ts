import { readPrivateFile } from '@sp/private-file';
import { invalidProfile } from '../profile/invalid-profile.ts';
import type { Profile } from '../profile/profile.ts';
import { hasJwtSecret, invalidSecrets, parseSecrets, secretsFromEnvironment } from './parse-secrets.ts';
import type { Secrets } from './secrets.ts';

/** Where secrets are looked for. */
export interface ResolveSecretsOptions {
  /** The profile, or the two parts of one that are needed. */
  readonly profile: Pick<Profile, 'path' | 'secrets'>;
  /** The environment, for profiles whose secrets are there. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** The secrets of a profile, and where they were. */
export interface ResolvedSecrets {
  /** What was found, checked. */
  readonly secrets: Secrets;
  /** Where it was found. */
  readonly source: 'environment' | 'file';
  /** The file, when they came from one. */
  readonly path?: string | undefined;
}

/**
 * The secrets of a profile: of the environment inside a tenant's machine or below another program of the project, else
 * from where the profile says.
 *
 * @throws {@link TenantsError} `SP_PROFILE_INVALID` (no `secrets` in the profile), `SP_PROFILE_SECRETS_INVALID`
 * @throws {PrivateFileError} when the file cannot be read
 * @example
 * const { secrets } = await resolveSecrets({ profile, env });
 */
export async function resolveSecrets(options: ResolveSecretsOptions): Promise<ResolvedSecrets> {
  const { profile, env } = options;
  const isSet = (name: string): boolean => Object.hasOwn(env, name) && env[name] !== undefined;
  const fromEnvironment = (): ResolvedSecrets => ({ secrets: secretsFromEnvironment(env), source: 'environment' });
  const inMachine = isSet('FLY_APP_NAME');
  if ((inMachine || isSet('SYSTEMPROMPT_SUBPROCESS')) && hasJwtSecret(env)) return fromEnvironment();
  if (profile.secrets === undefined) throw invalidProfile(profile.path, [{ member: 'secrets', problem: 'is missing' }]);
  const { source, secretsPath: path } = profile.secrets;
  if (source === 'env' && inMachine) return fromEnvironment();
  const text = await readPrivateFile(path);
  if (text !== undefined) return { secrets: parseSecrets(text, path), source: 'file', path };
  if (source === 'env') return fromEnvironment();
  throw invalidSecrets(path, [{ member: 'file', problem: 'does not exist' }]);
}
