import { locked, lockFile } from './file-lock.ts';
import { fileFailure } from './private-file-error.ts';
import { type PrivateFileOptions, throwIfAborted } from './private-file-options.ts';
import { readPrivateFile } from './read-private-file.ts';
import { preparePrivateDirectory, replacePrivateFile } from './replace-private-file.ts';

/** How a private file is updated. */
export interface UpdatePrivateFileOptions extends PrivateFileOptions {
  /**
   * How long to wait for other processes, in milliseconds. The default is longer than the 10 seconds after which the
   * lock of a killed process is taken over.
   *
   * @defaultValue 12_000
   */
  readonly lockTimeoutMs?: number | undefined;
}

/**
 * Replaces the text with what `update` makes of it (`undefined`: there is no file yet), one process at a time, so that
 * no update is lost. What `update` throws comes out unchanged, and the file stays as it was; so it does when `update`
 * returns `undefined`.
 *
 * @throws {PrivateFileError} `SP_FILE_LOCKED` besides the codes of `readPrivateFile` and `replacePrivateFile`
 * @example
 * await updatePrivateFile(path, (text) => `${text ?? ''}one more line\n`);
 */
export async function updatePrivateFile(
  path: string,
  update: (text: string | undefined) => string | undefined | Promise<string | undefined>,
  options: UpdatePrivateFileOptions = {},
): Promise<void> {
  const { lockTimeoutMs = 12_000, signal } = options;
  throwIfAborted(path, signal);
  await preparePrivateDirectory(path, options).catch((error: unknown) => {
    throw fileFailure('SP_FILE_UNWRITABLE', path, error);
  });
  const lock = await lockFile(path, { timeoutMs: lockTimeoutMs, signal });
  try {
    const text = await update(await readPrivateFile(path));
    if (text === undefined) return;
    if (!lock.isHeld()) throw locked(path, 'another process took the lock over');
    await replacePrivateFile(path, text, options);
  } finally {
    await lock.release();
  }
}
