const brand = Symbol.for('@sp/private-file.error');

/** What went wrong with a private file; see the table in the README. */
export type PrivateFileErrorCode =
  | 'SP_FILE_SYMLINK'
  | 'SP_FILE_TOO_OPEN'
  | 'SP_FILE_UNREADABLE'
  | 'SP_FILE_UNWRITABLE'
  | 'SP_FILE_LOCKED'
  | 'SP_FILE_ABORTED';

/** The facts of a {@link PrivateFileError}. */
export interface PrivateFileErrorFacts {
  /** The file that the call was about. */
  readonly path: string;
  /** An error of the operating system. */
  readonly cause?: unknown;
}

/** The only error of this package. It never holds any of the file's text. */
export class PrivateFileError extends Error {
  /** Always `PrivateFileError`. */
  override readonly name = 'PrivateFileError';
  /** Why; stable, for `switch`. */
  readonly code: PrivateFileErrorCode;
  /** The file (not the lock, not the directory) that the call was about. */
  readonly path: string;

  constructor(code: PrivateFileErrorCode, message: string, facts: PrivateFileErrorFacts) {
    super(message, 'cause' in facts ? { cause: facts.cause } : undefined);
    this.code = code;
    this.path = facts.path;
    Object.defineProperty(this, brand, { value: true });
  }
}

/** True for a {@link PrivateFileError} of any copy of this package. */
export function isPrivateFileError(value: unknown): value is PrivateFileError {
  return typeof value === 'object' && value !== null && brand in value;
}

/** `ENOENT` and its kind, or `undefined` for what is not an error of the operating system. */
export function systemCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** Wraps an error of the operating system: its message has the path and the reason, never file contents. */
export function fileFailure(
  code: 'SP_FILE_UNREADABLE' | 'SP_FILE_UNWRITABLE',
  path: string,
  cause: unknown,
): PrivateFileError {
  const verb = code === 'SP_FILE_UNREADABLE' ? 'read' : 'write';
  return new PrivateFileError(code, `Cannot ${verb} ${path}: ${systemCode(cause) ?? 'unknown reason'}`, {
    path,
    cause,
  });
}
