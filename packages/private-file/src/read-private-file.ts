import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { platform } from 'node:os';
import { fileFailure, isPrivateFileError, PrivateFileError, systemCode } from './private-file-error.ts';
import { isRegularFile, notAFile, symlinkRefused } from './regular-file.ts';

/**
 * The text of the file, or `undefined` when there is none. A file that its group or the world may read or write is
 * tightened to mode 0600 first. (Windows has no such modes; there the profile folder's own access list protects it.)
 *
 * @throws {PrivateFileError} `SP_FILE_SYMLINK`, `SP_FILE_TOO_OPEN` (not ours to tighten), `SP_FILE_UNREADABLE`
 * @example
 * const text = await readPrivateFile('/home/ada/site/.systemprompt/credentials.json');
 */
export async function readPrivateFile(path: string): Promise<string | undefined> {
  if (!(await isRegularFile(path))) return undefined;
  let handle: FileHandle | undefined;
  try {
    handle = await open(path, readWithoutFollowing());
    await tighten(handle, path);
    return await handle.readFile('utf8');
  } catch (error) {
    if (isPrivateFileError(error)) throw error;
    if (systemCode(error) === 'ENOENT') return undefined;
    if (systemCode(error) === 'ELOOP') throw symlinkRefused(path);
    throw fileFailure('SP_FILE_UNREADABLE', path, error);
  } finally {
    await handle?.close();
  }
}

/** The file may have been swapped since it was looked at, so the open itself must not follow a link or hang on a pipe. */
function readWithoutFollowing(): number {
  const posixOnly: { readonly O_NOFOLLOW?: number; readonly O_NONBLOCK?: number } = constants;
  return constants.O_RDONLY | (posixOnly.O_NOFOLLOW ?? 0) | (posixOnly.O_NONBLOCK ?? 0);
}

async function tighten(handle: FileHandle, path: string): Promise<void> {
  const stats = await handle.stat();
  if (!stats.isFile()) throw notAFile(path);
  if (platform() === 'win32' || (stats.mode & 0o077) === 0) return;
  await handle.chmod(0o600).catch((cause: unknown) => {
    const mode = (stats.mode & 0o777).toString(8).padStart(4, '0');
    throw new PrivateFileError('SP_FILE_TOO_OPEN', `Refused ${path}: others may open it (mode ${mode})`, {
      path,
      cause,
    });
  });
}
