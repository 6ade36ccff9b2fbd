import { homedir } from 'node:os';
import type { TenantsFinding } from '../tenants-error.ts';
import { changeYaml, type ProfileValue } from './change-yaml.ts';
import { invalidProfile, type LoadProfileOptions, parseProfile } from './parse-profile.ts';
import { updateProfileText } from './update-profile-text.ts';

/** How a profile is edited. */
export interface EditProfileOptions extends LoadProfileOptions {
  /** Gives up before the file is replaced. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Changes members of a `profile.yaml` by their names on disk, `undefined` takes one out. Everything else stays as it is
 * written: comments, order, members that nobody here knows, `${NAME}`s and relative paths. Nothing is written when the
 * profile has the values already, or would get something wrong that it has not now.
 *
 * @returns whether the file was changed
 * @throws {@link TenantsError} `SP_PROFILE_NOT_FOUND`, `SP_PROFILE_INVALID`, `SP_PROFILE_UNWRITABLE`
 * @example
 * await editProfile(path, { 'server.port': 9000, 'runtime.log_level': 'debug' }, { env });
 */
export async function editProfile(
  path: string,
  changes: Readonly<Record<string, ProfileValue | undefined>>,
  options: EditProfileOptions,
): Promise<boolean> {
  const { env, home = homedir(), signal } = options;
  return updateProfileText(path, (text) => changeProfileText(text, { path, changes, env, home }), { signal });
}

function changeProfileText(
  text: string,
  options: {
    readonly path: string;
    readonly changes: Readonly<Record<string, ProfileValue | undefined>>;
    readonly env: LoadProfileOptions['env'];
    readonly home: string;
  },
): string {
  const { path, changes, env, home } = options;
  const changed = changeYaml(text, Object.entries(changes));
  if ('member' in changed) throw invalidProfile(path, [changed]);
  const findingsOf = (yaml: string): readonly TenantsFinding[] => parseProfile(yaml, path, { env, home }).findings;
  const before = new Set(findingsOf(text).map(({ member }) => member));
  // A profile that is wrong elsewhere can still be edited, or nobody could correct it step by step.
  const findings = findingsOf(changed.text).filter(
    ({ member }) => Object.hasOwn(changes, member) || !before.has(member),
  );
  if (findings.length > 0) throw invalidProfile(path, findings);
  return changed.text;
}
