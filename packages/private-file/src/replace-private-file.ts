import { lstat, mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileFailure, isPrivateFileError, systemCode } from './private-file-error.ts';
import { type PrivateFileOptions, throwIfAborted } from './private-file-options.ts';
import { isRegularFile } from './regular-file.ts';

/**
 * Puts exactly `text` into the file, all or nothing: readers see the old text or the new, also after a crash. Missing
 * directories are made with mode 0700, the file has mode 0600. It does not wait for a running `updatePrivateFile`: the
 * last writer wins.
 *
 * @throws {PrivateFileError} `SP_FILE_SYMLINK`, `SP_FILE_UNREADABLE` (there is something that is no file),
 * `SP_FILE_UNWRITABLE`, `SP_FILE_ABORTED`
 * @example
 * await replacePrivateFile('/home/ada/site/.systemprompt/credentials.json', JSON.stringify(credentials, null, 2));
 */
export async function replacePrivateFile(path: string, text: string, options: PrivateFileOptions = {}): Promise<void> {
  throwIfAborted(path, options.signal);
  try {
    await preparePrivateDirectory(path, options);
    await isRegularFile(path);
    throwIfAborted(path, options.signal);
    await writeAtomically(path, text, 0o600);
  } catch (error) {
    throw isPrivateFileError(error) ? error : fileFailure('SP_FILE_UNWRITABLE', path, error);
  }
}

/** Makes the file's directory, and its `.gitignore` before there is anything to ignore. */
export async function preparePrivateDirectory(path: string, options: PrivateFileOptions): Promise<void> {
  const { gitignore = true } = options;
  const directory = dirname(path);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  if (!gitignore) return;
  const ignoreFile = join(directory, '.gitignore');
  const absent = await lstat(ignoreFile).then(
    () => false,
    (error: unknown) => systemCode(error) === 'ENOENT',
  );
  if (absent) await writeAtomically(ignoreFile, '*\n');
}

async function writeAtomically(path: string, text: string, mode?: number): Promise<void> {
  // Loaded at the first write: it hooks the process's exit signals, which those who only read need not have.
  const { default: writeFileAtomic } = await import('write-file-atomic');
  await writeFileAtomic(path, text, mode === undefined ? {} : { mode });
}
