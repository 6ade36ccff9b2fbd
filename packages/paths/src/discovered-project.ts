import { type DiscoveryOptions, type FileSystemOptions, systemEntryKind } from './file-system.ts';
import { ancestors, appendPath, systemFlavour } from './path-flavour.ts';
import { type ProfilePaths, profilePaths } from './profile-path.ts';
import { systempromptDirName } from './project-path.ts';

/** A project whose `.systemprompt` directory was found. */
export interface DiscoveredProject {
  /** The project's directory. */
  readonly root: string;
  /** `<root>/.systemprompt`. */
  readonly systempromptDir: string;
  /** `<root>/.systemprompt/credentials.json`. */
  readonly credentialsPath: string;
  /** `<root>/.systemprompt/tenants.json`. */
  readonly tenantsPath: string;
  /** `<root>/.systemprompt/session.json`. */
  readonly sessionPath: string;
  /** `<root>/.systemprompt/sessions`. */
  readonly sessionsDir: string;
  /** `<root>/.systemprompt/profiles`. */
  readonly profilesDir: string;
  /** `<root>/.systemprompt/docker`. */
  readonly dockerDir: string;
  /** `<root>/.systemprompt/storage`. (A {@link ProjectContext} has its storage in the root.) */
  readonly storageDir: string;
  /** Where everything of a profile is; nothing of it need exist. @throws {PathsError} `SP_PATHS_PROFILE_NAME` */
  profile(name: string): ProfilePaths;
  /** Whether the `.systemprompt` directory is (still) there. */
  isInitialized(): boolean;
  /** Whether there is anything at `credentialsPath`. */
  hasCredentials(): boolean;
  /** Whether there is anything at `tenantsPath`. */
  hasTenants(): boolean;
  /** Whether there is anything at `sessionPath`. */
  hasSession(): boolean;
  /** Whether there is a directory of the profile's name. @throws {PathsError} `SP_PATHS_PROFILE_NAME` */
  hasProfile(name: string): boolean;
}

/** The nearest ancestor of `from` (or itself) with a `.systemprompt` directory, or `undefined`. */
export function findProject(options: DiscoveryOptions): DiscoveredProject | undefined {
  const { from, path = systemFlavour, entryKind = systemEntryKind } = options;
  for (const directory of ancestors(from, path)) {
    const isProject = entryKind(appendPath(directory, systempromptDirName, path)) === 'directory';
    if (isProject) return createDiscoveredProject(directory, { path, entryKind });
  }
  return undefined;
}

/**
 * The project at a root that is known already, as {@link findProject} would give it.
 *
 * @example
 * createDiscoveredProject('/site').isInitialized(); // false until somebody makes /site/.systemprompt
 */
export function createDiscoveredProject(root: string, options: FileSystemOptions = {}): DiscoveredProject {
  const { path = systemFlavour, entryKind = systemEntryKind } = options;
  const systempromptDir = appendPath(root, systempromptDirName, path);
  const below = (name: string): string => appendPath(systempromptDir, name, path);
  const profile = (name: string): ProfilePaths => profilePaths(root, name, { path });
  const exists = (name: string): boolean => entryKind(below(name)) !== undefined;
  return {
    root,
    systempromptDir,
    credentialsPath: below('credentials.json'),
    tenantsPath: below('tenants.json'),
    sessionPath: below('session.json'),
    sessionsDir: below('sessions'),
    profilesDir: below('profiles'),
    dockerDir: below('docker'),
    storageDir: below('storage'),
    profile,
    isInitialized: () => entryKind(systempromptDir) === 'directory',
    hasCredentials: () => exists('credentials.json'),
    hasTenants: () => exists('tenants.json'),
    hasSession: () => exists('session.json'),
    hasProfile: (name) => entryKind(profile(name).dir) === 'directory',
  };
}
