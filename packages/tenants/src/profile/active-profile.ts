import { stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve, sep } from 'node:path';
import { isTenantsError, TenantsError } from '../tenants-error.ts';
import { listProfiles, loadProfile } from './load-profile.ts';
import type { ProfileListing } from './profile.ts';

/** What sessions say about profiles. */
export interface ProfileSessions {
  /** The profile that was chosen for the sessions. */
  readonly activeProfileName?: string | undefined;
  /** The file of the active session's profile, if that session is still valid. */
  readonly activeProfilePath?: string | undefined;
  /** The profiles of all sessions that have not expired. */
  readonly profiles?:
    | readonly { readonly profileName: string; readonly profilePath?: string | undefined }[]
    | undefined;
}

/** Where to look for the active profile, in the order of precedence. */
export interface ActiveProfileOptions {
  /** What was asked for, a name or a path: a global option. */
  readonly requested?: string | undefined;
  /** `SYSTEMPROMPT_PROFILE` is read of it, and what `${NAME}` in the profiles means. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** What the sessions remember of profiles. */
  readonly sessions?: ProfileSessions | undefined;
  /** The project's `.systemprompt/profiles`. */
  readonly profilesDirectory: string;
  /** What a relative path is relative to. */
  readonly from: string;
  /** What `~/` means. @defaultValue the user's home folder */
  readonly home?: string | undefined;
}

/** The active profile, or why there is none. */
export type ActiveProfile =
  | {
      readonly kind: 'found';
      /** The `profile.yaml`. */
      readonly path: string;
      /** Who named it; `only`: nobody, it is the only one. */
      readonly source: 'requested' | 'environment' | 'session' | 'only';
    }
  /** The project has no profile. */
  | { readonly kind: 'none' }
  /** There are several, and nobody named one. */
  | { readonly kind: 'several'; readonly profiles: readonly ProfileListing[] };

/**
 * Which profile is active: the one asked for, else that of the environment, else that of the session, else the only one
 * there is.
 *
 * @throws {@link TenantsError} `SP_PROFILE_NOT_FOUND` when one was named that does not exist
 * @example
 * const active = await resolveActiveProfile({ env, profilesDirectory, from: '/home/ada/site' });
 */
export async function resolveActiveProfile(options: ActiveProfileOptions): Promise<ActiveProfile> {
  const { requested, env, sessions = {} } = options;
  if (requested) return { kind: 'found', path: await resolveNamed(requested, options), source: 'requested' };
  const named = Object.hasOwn(env, 'SYSTEMPROMPT_PROFILE') ? env['SYSTEMPROMPT_PROFILE'] : undefined;
  if (named) return { kind: 'found', path: await resolveNamed(named, options), source: 'environment' };
  const path = await sessionProfile(sessions, options.profilesDirectory);
  return path === undefined ? onlyProfile(options) : { kind: 'found', path, source: 'session' };
}

async function resolveNamed(value: string, options: ActiveProfileOptions): Promise<string> {
  const { profilesDirectory, from, home = homedir(), sessions } = options;
  const candidates = isPath(value)
    ? withDirectory(
        resolve(
          from,
          value.replace(/^~(?=\/)/, () => home),
        ),
      )
    : [
        join(profilesDirectory, value, 'profile.yaml'),
        ...(sessions?.profiles ?? []).flatMap(({ profileName, profilePath }) =>
          profileName === value && profilePath !== undefined ? [profilePath] : [],
        ),
      ];
  for (const candidate of candidates) if (await isFile(candidate)) return candidate;
  const path = candidates[0] ?? value;
  throw new TenantsError('SP_PROFILE_NOT_FOUND', `No profile ${JSON.stringify(value)}: no file ${path}`, { path });
}

/** A value that does not look like a path is a name. */
function isPath(value: string): boolean {
  return /\/|^[.~]|\.ya?ml$/.test(value) || value.includes(sep);
}

/** A folder stands for the profile in it. */
function withDirectory(path: string): readonly string[] {
  return [path, join(path, 'profile.yaml')];
}

async function sessionProfile(sessions: ProfileSessions, profilesDirectory: string): Promise<string | undefined> {
  const { activeProfileName: name, activeProfilePath: path } = sessions;
  // It comes from a file: it must not lead out of the folder.
  const byName = name && !isPath(name) ? join(profilesDirectory, name, 'profile.yaml') : undefined;
  for (const candidate of [byName, path]) {
    if (candidate !== undefined && (await isFile(candidate))) return candidate;
  }
  return undefined;
}

async function onlyProfile({ profilesDirectory, env }: ActiveProfileOptions): Promise<ActiveProfile> {
  const listed = await listProfiles(profilesDirectory);
  const usable: ProfileListing[] = [];
  for (const profile of listed) if (await isUsable(profile.path, env)) usable.push(profile);
  // When none can be read, loading one says what is wrong with it.
  const [only, ...others] = usable.length > 0 ? usable : listed;
  if (only === undefined) return { kind: 'none' };
  if (others.length > 0) return { kind: 'several', profiles: [only, ...others] };
  return { kind: 'found', path: only.path, source: 'only' };
}

async function isUsable(path: string, env: ActiveProfileOptions['env']): Promise<boolean> {
  try {
    await loadProfile(path, { env });
    return true;
  } catch (error) {
    if (isTenantsError(error)) return false;
    throw error;
  }
}

async function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (stats) => stats.isFile(),
    () => false,
  );
}
