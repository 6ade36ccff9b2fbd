import type { CloudPath } from './cloud-paths.ts';
import type { ProfilePath } from './profile-path.ts';
import type { ProjectPath } from './project-path.ts';

const directories: ReadonlySet<string> = new Set<CloudPath | ProjectPath | ProfilePath>([
  'root',
  'profiles-dir',
  'docker-dir',
  'storage-dir',
  'sessions-dir',
]);

/**
 * Whether a place is one for a directory; all others are for files.
 *
 * @example
 * isDirectoryPath('sessions-dir'); // true
 */
export function isDirectoryPath(path: CloudPath | ProjectPath | ProfilePath): boolean {
  return directories.has(path);
}

/** Whether something of a profile is in its `docker` directory. */
export function isDockerFile(path: ProfilePath): boolean {
  return ['dockerfile', 'entrypoint', 'dockerignore', 'compose'].includes(path);
}
