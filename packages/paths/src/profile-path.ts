import { appendPath, type PathOptions, systemFlavour } from './path-flavour.ts';
import { PathsError } from './paths-error.ts';
import { appendSegments, resolveProjectPath } from './project-path.ts';

/** A file or directory that every profile has in the same place. */
export type ProfilePath =
  | 'config'
  | 'secrets'
  | 'docker-dir'
  | 'dockerfile'
  | 'entrypoint'
  | 'dockerignore'
  | 'compose';

/** Everything of one profile. */
export interface ProfilePaths {
  /** The profile's name. */
  readonly name: string;
  /** `<root>/.systemprompt/profiles/<name>`, where the others are. */
  readonly dir: string;
  /** `profile.yaml`. */
  readonly config: string;
  /** `secrets.json`. */
  readonly secrets: string;
  /** `docker`. */
  readonly dockerDir: string;
  /** `docker/Dockerfile`. */
  readonly dockerfile: string;
  /** `docker/entrypoint.sh`. */
  readonly entrypoint: string;
  /** `docker/Dockerfile.dockerignore`. */
  readonly dockerignore: string;
  /** `docker/compose.yaml`. */
  readonly compose: string;
}

const segments: Readonly<Record<ProfilePath, readonly string[]>> = {
  config: ['profile.yaml'],
  secrets: ['secrets.json'],
  'docker-dir': ['docker'],
  dockerfile: ['docker', 'Dockerfile'],
  entrypoint: ['docker', 'entrypoint.sh'],
  // BuildKit takes it in place of `.dockerignore` when it is named after the Dockerfile next to it.
  dockerignore: ['docker', 'Dockerfile.dockerignore'],
  compose: ['docker', 'compose.yaml'],
};

/**
 * Where something of the profile in the directory `profileDir` is.
 *
 * @example
 * resolveProfilePath('/site/.systemprompt/profiles/production', 'config'); // '…/production/profile.yaml'
 */
export function resolveProfilePath(profileDir: string, profilePath: ProfilePath, options: PathOptions = {}): string {
  const { path = systemFlavour } = options;
  return appendSegments(profileDir, segments[profilePath], path);
}

/**
 * Where everything of the profile `name` of the project at `root` is; nothing of it need exist.
 *
 * @throws {PathsError} `SP_PATHS_PROFILE_NAME`: a name is made of `A-Z a-z 0-9 _ -`, so it cannot leave its directory
 * @example
 * profilePaths('/site', 'production').secrets; // '/site/.systemprompt/profiles/production/secrets.json'
 */
export function profilePaths(root: string, name: string, options: PathOptions = {}): ProfilePaths {
  const { path = systemFlavour } = options;
  if (!/^[A-Za-z0-9_-]+$/.test(name)) {
    const message = `Profile name ${JSON.stringify(name)} is not allowed: it may have letters, digits, "_" and "-" only`;
    throw new PathsError('SP_PATHS_PROFILE_NAME', message, { profileName: name });
  }
  const dir = appendPath(resolveProjectPath(root, 'profiles-dir', { path }), name, path);
  const resolve = (profilePath: ProfilePath): string => resolveProfilePath(dir, profilePath, { path });
  return {
    name,
    dir,
    config: resolve('config'),
    secrets: resolve('secrets'),
    dockerDir: resolve('docker-dir'),
    dockerfile: resolve('dockerfile'),
    entrypoint: resolve('entrypoint'),
    dockerignore: resolve('dockerignore'),
    compose: resolve('compose'),
  };
}
