import { PrivateFileError } from './private-file-error.ts';

/** How a private file is written. */
export interface PrivateFileOptions {
  /**
   * Whether a directory without a `.gitignore` gets one that ignores everything in it (`*`). An existing `.gitignore`
   * is never changed.
   *
   * @defaultValue true
   */
  readonly gitignore?: boolean | undefined;
  /** Gives up before the file is replaced; a replacement that has begun is finished. */
  readonly signal?: AbortSignal | undefined;
}

/** Throws `SP_FILE_ABORTED` once the caller has given up. */
export function throwIfAborted(path: string, signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new PrivateFileError('SP_FILE_ABORTED', `Gave up writing ${path}: aborted`, { path });
}
