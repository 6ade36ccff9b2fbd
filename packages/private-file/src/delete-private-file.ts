import { unlink } from 'node:fs/promises';
import { fileFailure, systemCode } from './private-file-error.ts';

/**
 * Deletes the file. `false` when there was none, so that deleting again is no error. A symlink is deleted itself, not
 * what it points to.
 *
 * @throws {PrivateFileError} `SP_FILE_UNWRITABLE`
 */
export async function deletePrivateFile(path: string): Promise<boolean> {
  try {
    await unlink(path);
    return true;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return false;
    throw fileFailure('SP_FILE_UNWRITABLE', path, error);
  }
}
