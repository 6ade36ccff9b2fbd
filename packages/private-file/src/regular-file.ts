import { lstat } from 'node:fs/promises';
import { fileFailure, PrivateFileError, systemCode } from './private-file-error.ts';

/**
 * Whether there is a file at `path`. Anything else there is refused: a symlink could point a secret to a place that
 * others read, and reading a pipe would wait for ever.
 */
export async function isRegularFile(path: string): Promise<boolean> {
  const stats = await lstat(path).catch((error: unknown) => {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw fileFailure('SP_FILE_UNREADABLE', path, error);
  });
  if (stats === undefined) return false;
  if (stats.isSymbolicLink()) throw symlinkRefused(path);
  if (!stats.isFile()) throw notAFile(path);
  return true;
}

/** The refusal of a symlink. */
export function symlinkRefused(path: string): PrivateFileError {
  return new PrivateFileError('SP_FILE_SYMLINK', `Refused ${path}: it is a symbolic link`, { path });
}

/** The refusal of a directory, pipe or device. */
export function notAFile(path: string): PrivateFileError {
  return new PrivateFileError('SP_FILE_UNREADABLE', `Cannot read ${path}: it is not a regular file`, { path });
}
