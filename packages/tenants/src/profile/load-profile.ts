import { readdir, readFile, realpath, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { TenantsError } from '../tenants-error.ts';
import { invalidProfile } from './invalid-profile.ts';
import type { LoadProfileOptions } from './parse-profile.ts';
import type { Profile, ProfileListing } from './profile.ts';

/**
 * Reads a `profile.yaml`: variables and defaults filled in, relative paths resolved against its folder. What comes out is
 * for reading only; to change the file, use `editProfile`.
 *
 * @throws {@link TenantsError} `SP_PROFILE_NOT_FOUND`, `SP_PROFILE_INVALID` with everything that is wrong
 * @example
 * const profile = await loadProfile('/home/ada/site/.systemprompt/profiles/production/profile.yaml', { env: {} });
 */
export async function loadProfile(path: string, options: LoadProfileOptions): Promise<Profile> {
  const { env, home = homedir() } = options;
  // Loaded here and not at the top: those who only read tenants pay nothing for YAML.
  const { parseProfile } = await import('./parse-profile.ts');
  const { profile, findings } = parseProfile(await readProfileText(path), path, { env, home });
  if (profile === undefined) throw invalidProfile(path, findings);
  const { system, services, bin, webPath, storage, geoipDatabase } = profile.paths;
  const directory = dirname(resolve(path));
  return {
    ...profile,
    paths: {
      system: await absolute(system, directory),
      services: await absolute(services, directory),
      bin: await absolute(bin, directory),
      webPath: webPath && (await absolute(webPath, directory)),
      storage: storage && (await absolute(storage, directory)),
      geoipDatabase: geoipDatabase && (await absolute(geoipDatabase, directory)),
    },
  };
}

/** The profiles in a `.systemprompt/profiles` folder, sorted by name; none when there is no such folder. */
export async function listProfiles(profilesDirectory: string): Promise<readonly ProfileListing[]> {
  const names = await readdir(profilesDirectory).catch((): string[] => []);
  const isFile = async (path: string): Promise<boolean> =>
    stat(path).then(
      (stats) => stats.isFile(),
      () => false,
    );
  const profiles: ProfileListing[] = [];
  // Folders of profiles that are just being made start with a dot.
  for (const name of names.filter((name) => !name.startsWith('.')).toSorted()) {
    const path = join(profilesDirectory, name, 'profile.yaml');
    const hasSecrets = await isFile(join(profilesDirectory, name, 'secrets.json'));
    if (await isFile(path)) profiles.push({ name, path, hasSecrets });
  }
  return profiles;
}

/** The text of a profile as it is. */
export async function readProfileText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown reason';
    if (code === 'ENOENT') throw new TenantsError('SP_PROFILE_NOT_FOUND', `No profile ${path}`, { path });
    throw invalidProfile(path, [{ member: 'file', problem: `cannot be read (${code})` }]);
  }
}

/** Without symlinks, as far as it exists; an absolute path is left as it is written. */
async function absolute(path: string, directory: string): Promise<string> {
  if (isAbsolute(path)) return path;
  const joined = join(directory, path);
  return realpath(joined).catch(() => joined);
}
