import { type CloudPath, type CloudPaths, createCloudPaths } from './cloud-paths.ts';
import { type DiscoveredProject, findProject } from './discovered-project.ts';
import type { DiscoveryOptions } from './file-system.ts';
import type { ProfilePaths } from './profile-path.ts';

/** Where to look, and what is known already. */
export interface UnifiedContextOptions extends DiscoveryOptions {
  /** Places that a profile's configuration names; they win over those of the project. */
  readonly cloudPaths?: CloudPaths | undefined;
}

/** The project around a directory and the cloud's files, wherever they come from. */
export interface UnifiedContext {
  /** The project around; `undefined` outside of one. */
  readonly project: DiscoveredProject | undefined;
  /** As given. */
  readonly cloudPaths: CloudPaths | undefined;
  /** Where `cloudPaths` say, else in the project, else `.systemprompt/credentials.json` relative to nothing. */
  readonly credentialsPath: string;
  /** The tenant store, by the same rule. */
  readonly tenantsPath: string;
  /** The session file, by the same rule. */
  readonly sessionPath: string;
  /** Of the project. */
  readonly systempromptDir: string | undefined;
  /** Of the project. */
  readonly profilesDir: string | undefined;
  /** Of the project. */
  readonly dockerDir: string | undefined;
  /** Of the project. */
  readonly storageDir: string | undefined;
  /** `undefined` without a project. @throws {PathsError} `SP_PATHS_PROFILE_NAME` */
  profile(name: string): ProfilePaths | undefined;
  /** Whether there is anything at `credentialsPath`. */
  hasCredentials(): boolean;
  /** Whether there is anything at `tenantsPath`. */
  hasTenants(): boolean;
  /** Whether there is anything at `sessionPath`. */
  hasSession(): boolean;
  /**
   * Whether the project has a directory of the profile's name; `false` outside of one.
   *
   * @throws {PathsError} `SP_PATHS_PROFILE_NAME`
   */
  hasProfile(name: string): boolean;
}

/** Finds the project around `from` and puts it together with `cloudPaths`. */
export function discoverUnifiedContext(options: UnifiedContextOptions): UnifiedContext {
  const { cloudPaths } = options;
  const project = findProject(options);
  // A root of '' gives the paths relative to wherever the program runs: the last resort.
  const files = cloudPaths ?? createCloudPaths(project?.root ?? '', options);
  const exists = (path: CloudPath) => (): boolean => files.exists(path);
  return {
    project,
    cloudPaths,
    credentialsPath: files.resolve('credentials'),
    tenantsPath: files.resolve('tenants'),
    sessionPath: files.resolve('cli-session'),
    systempromptDir: project?.systempromptDir,
    profilesDir: project?.profilesDir,
    dockerDir: project?.dockerDir,
    storageDir: project?.storageDir,
    profile: (name) => project?.profile(name),
    hasCredentials: exists('credentials'),
    hasTenants: exists('tenants'),
    hasSession: exists('cli-session'),
    hasProfile: (name) => project?.hasProfile(name) ?? false,
  };
}
