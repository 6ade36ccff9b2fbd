import { homedir } from 'node:os';
import type { TenantsFinding } from '../tenants-error.ts';
import type { ProfileValue } from './change-yaml.ts';
import { invalidProfile } from './invalid-profile.ts';
import type { LoadProfileOptions } from './parse-profile.ts';
import { updateProfileText } from './update-profile-text.ts';

/** How a profile is edited. */
export interface EditProfileOptions extends LoadProfileOptions {
  /** Gives up before the file is replaced. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Changes members of a `profile.yaml` by their names on disk, `undefined` takes one out. Everything else stays as it is
 * written: comments, order, members that nobody here knows, `${NAME}`s and relative paths. Nothing is written when the
 * profile has the values already, or would get something wrong that it has not now. A name that nobody here knows is
 * written too: a newer server may know it.
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
  // Loaded here and not at the top: those who only read tenants pay nothing for YAML.
  const [{ changeYaml }, { parseProfile }] = await Promise.all([
    import('./change-yaml.ts'),
    import('./parse-profile.ts'),
  ]);
  const findingsOf = (yaml: string): readonly TenantsFinding[] => parseProfile(yaml, path, { env, home }).findings;
  const change = (text: string): string => {
    const changed = changeYaml(text, Object.entries(changes));
    if ('member' in changed) throw invalidProfile(path, [changed]);
    const before = new Set(findingsOf(text).map(({ member }) => member));
    // A profile that is wrong elsewhere can still be edited, or nobody could correct it step by step.
    const isNew = ({ member }: TenantsFinding): boolean => Object.hasOwn(changes, member) || !before.has(member);
    const findings = findingsOf(changed.text).filter(isNew);
    if (findings.length > 0) throw invalidProfile(path, findings);
    return changed.text;
  };
  return updateProfileText(path, change, { signal });
}
