import { appendPath, type PathFlavour, type PathOptions, systemFlavour } from './path-flavour.ts';

/** A file or directory that every project has in the same place. */
export type ProjectPath =
  | 'root'
  | 'profiles-dir'
  | 'docker-dir'
  | 'storage-dir'
  | 'sessions-dir'
  | 'dockerfile'
  | 'local-credentials'
  | 'local-tenants'
  | 'local-session';

/** The directory of a project that holds what belongs to SystemPrompt. */
export const systempromptDirName = '.systemprompt';

const segments: Readonly<Record<ProjectPath, readonly string[]>> = {
  root: [systempromptDirName],
  'profiles-dir': [systempromptDirName, 'profiles'],
  'docker-dir': [systempromptDirName, 'docker'],
  // The only one outside: what the project's programs store is not configuration.
  'storage-dir': ['storage'],
  'sessions-dir': [systempromptDirName, 'sessions'],
  dockerfile: [systempromptDirName, 'Dockerfile'],
  'local-credentials': [systempromptDirName, 'credentials.json'],
  'local-tenants': [systempromptDirName, 'tenants.json'],
  'local-session': [systempromptDirName, 'session.json'],
};

/**
 * Where something of the project at `root` is.
 *
 * @example
 * resolveProjectPath('/site', 'profiles-dir'); // '/site/.systemprompt/profiles'
 */
export function resolveProjectPath(root: string, projectPath: ProjectPath, options: PathOptions = {}): string {
  const { path = systemFlavour } = options;
  return appendSegments(root, segments[projectPath], path);
}

/** Puts several segments below a path. */
export function appendSegments(base: string, below: readonly string[], path: PathFlavour): string {
  return below.reduce((directory, segment) => appendPath(directory, segment, path), base);
}
