import { type DiscoveryOptions, type FileSystemOptions, systemEntryKind } from './file-system.ts';
import { ancestors, appendPath, systemFlavour } from './path-flavour.ts';
import { type ProfilePaths, profilePaths } from './profile-path.ts';
import { type ProjectPath, resolveProjectPath, systempromptDirName } from './project-path.ts';

/** A project directory, whether or not anything is in it yet. */
export interface ProjectContext {
  /** The project's directory. */
  readonly root: string;
  /** `<root>/.systemprompt`. */
  readonly systempromptDir: string;
  /** Where the profiles are, a directory each. */
  readonly profilesDir: string;
  /** What images of the whole project are built with. */
  readonly dockerDir: string;
  /** `<root>/storage`. (A {@link DiscoveredProject} has its storage below `.systemprompt`.) */
  readonly storageDir: string;
  /** Where the sessions of the command line are. */
  readonly sessionsDir: string;
  /** The project's own Dockerfile, in `dockerDir`. */
  readonly dockerfile: string;
  /** The project's credential file. */
  readonly localCredentials: string;
  /** The project's tenant store. */
  readonly localTenants: string;
  /** The project's session from before there were several. */
  readonly localSession: string;
  /** Where a file or directory is. */
  resolve(path: ProjectPath): string;
  /** Where everything of a profile is; nothing of it need exist. @throws {PathsError} `SP_PATHS_PROFILE_NAME` */
  profile(name: string): ProfilePaths;
  /** Whether there is anything at that place. */
  exists(path: ProjectPath): boolean;
  /** Whether there is anything, a directory or not, of the profile's name. @throws {PathsError} `SP_PATHS_PROFILE_NAME` */
  profileExists(name: string): boolean;
}

/**
 * The project at `root`.
 *
 * @example
 * createProjectContext('/site').profile('production').config; // '/site/.systemprompt/profiles/production/profile.yaml'
 */
export function createProjectContext(root: string, options: FileSystemOptions = {}): ProjectContext {
  const { path = systemFlavour, entryKind = systemEntryKind } = options;
  const resolve = (projectPath: ProjectPath): string => resolveProjectPath(root, projectPath, { path });
  const profile = (name: string): ProfilePaths => profilePaths(root, name, { path });
  return {
    root,
    systempromptDir: resolve('root'),
    profilesDir: resolve('profiles-dir'),
    dockerDir: resolve('docker-dir'),
    storageDir: resolve('storage-dir'),
    sessionsDir: resolve('sessions-dir'),
    dockerfile: resolve('dockerfile'),
    localCredentials: resolve('local-credentials'),
    localTenants: resolve('local-tenants'),
    localSession: resolve('local-session'),
    resolve,
    profile,
    exists: (projectPath) => entryKind(resolve(projectPath)) !== undefined,
    profileExists: (name) => entryKind(profile(name).dir) !== undefined,
  };
}

/**
 * The project around `from`: its nearest ancestor (or itself) with a `.systemprompt` directory and a `Cargo.toml`, a
 * `services` directory or a `storage` directory. Without one, `from` itself is the project.
 */
export function discoverProjectContext(options: DiscoveryOptions): ProjectContext {
  const { from, path = systemFlavour, entryKind = systemEntryKind } = options;
  const kindOf = (directory: string, name: string): ReturnType<typeof entryKind> =>
    entryKind(appendPath(directory, name, path));
  for (const directory of ancestors(from, path)) {
    if (kindOf(directory, systempromptDirName) !== 'directory') continue;
    const isProject =
      kindOf(directory, 'Cargo.toml') !== undefined ||
      kindOf(directory, 'services') === 'directory' ||
      kindOf(directory, 'storage') === 'directory';
    if (isProject) return createProjectContext(directory, { path, entryKind });
  }
  return createProjectContext(from, { path, entryKind });
}
