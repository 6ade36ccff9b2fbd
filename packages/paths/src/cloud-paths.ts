import { type DiscoveryOptions, type FileSystemOptions, systemEntryKind } from './file-system.ts';
import { ancestors, appendPath, systemFlavour } from './path-flavour.ts';
import { discoverProjectContext } from './project-context.ts';
import { systempromptDirName } from './project-path.ts';
import { type HomeOptions, resolvePath } from './resolve-path.ts';

/** A file or directory of the cloud: who is logged in, which tenants there are. */
export type CloudPath = 'credentials' | 'tenants' | 'cli-session' | 'sessions-dir';

/** Where the cloud's files are. */
export interface CloudPaths {
  /** The directory of the sessions, and of every file that is not placed by itself. */
  readonly baseDir: string;
  /** Where a file or directory is. */
  resolve(path: CloudPath): string;
  /** Whether there is anything at that place. */
  exists(path: CloudPath): boolean;
}

/** Places that a profile's configuration names. */
export interface ConfiguredCloudPathsOptions extends HomeOptions, FileSystemOptions {
  /** The profile's directory: relative paths are seen from here. */
  readonly profileDir: string;
  /** As written in the configuration; an empty text means the default place. */
  readonly credentialsPath: string;
  /** As written in the configuration; an empty text means the default place. */
  readonly tenantsPath: string;
}

const names: Readonly<Record<CloudPath, string>> = {
  credentials: 'credentials.json',
  tenants: 'tenants.json',
  'cli-session': 'session.json',
  'sessions-dir': 'sessions',
};

/**
 * The cloud's files of the project around `from`.
 *
 * @example
 * getCloudPaths({ from: '/site/services' }).resolve('credentials'); // '/site/.systemprompt/credentials.json'
 */
export function getCloudPaths(options: DiscoveryOptions): CloudPaths {
  return createCloudPaths(discoverProjectContext(options).root, options);
}

/** The cloud's files in `<directory>/.systemprompt`. */
export function createCloudPaths(directory: string, options: FileSystemOptions = {}): CloudPaths {
  const { path = systemFlavour } = options;
  return describeCloudPaths(appendPath(directory, systempromptDirName, path), {}, options);
}

/**
 * The cloud's files in the places that a configuration names. The base is where the credentials are; when their place
 * is not named, the nearest directory named `.systemprompt` around the profile, else `<profileDir>/.systemprompt`.
 */
export function createConfiguredCloudPaths(options: ConfiguredCloudPathsOptions): CloudPaths {
  const { profileDir, credentialsPath, tenantsPath, path = systemFlavour } = options;
  const named = (configured: string): string | undefined =>
    configured === '' ? undefined : resolvePath(profileDir, configured, options);
  const credentials = named(credentialsPath);
  const baseDir =
    credentials === undefined
      ? (ancestors(profileDir, path).find((directory) => path.basename(directory) === systempromptDirName) ??
        appendPath(profileDir, systempromptDirName, path))
      : path.dirname(credentials);
  return describeCloudPaths(baseDir, { credentials, tenants: named(tenantsPath) }, options);
}

function describeCloudPaths(
  baseDir: string,
  placed: Readonly<Partial<Record<CloudPath, string | undefined>>>,
  options: FileSystemOptions,
): CloudPaths {
  const { path = systemFlavour, entryKind = systemEntryKind } = options;
  const resolve = (cloudPath: CloudPath): string => placed[cloudPath] ?? appendPath(baseDir, names[cloudPath], path);
  return { baseDir, resolve, exists: (cloudPath) => entryKind(resolve(cloudPath)) !== undefined };
}
