/** Why an operation of this package failed. Codes are stable; messages are not. */
export type SyncErrorCode =
  | 'SP_SYNC_UNSAFE_PATH'
  | 'SP_SYNC_TOO_LARGE'
  | 'SP_SYNC_DAMAGED'
  | 'SP_SYNC_BASE_DAMAGED'
  | 'SP_SYNC_MOVED'
  | 'SP_SYNC_LOCKED'
  | 'SP_SYNC_STORAGE'
  | 'SP_SYNC_UNAUTHORIZED'
  | 'SP_SYNC_REMOTE'
  | 'SP_SYNC_NETWORK'
  | 'SP_SYNC_NOTHING_TO_UNDO'
  | 'SP_SYNC_ABORTED';

/** The facts a {@link SyncError} may carry besides its code. */
export interface SyncErrorFacts {
  /** A path in the tree, or the file on disk that failed. */
  readonly path?: string | undefined;
  /** The paths that are not as they were planned (`SP_SYNC_MOVED`). */
  readonly paths?: readonly string[] | undefined;
  /** HTTP status that the tenant answered. */
  readonly status?: number | undefined;
  /** Whether the same call may succeed later without a change. */
  readonly retryable?: boolean | undefined;
  /** The innermost error of the operating system; never one that holds a token. */
  readonly cause?: unknown;
}

const brand = Symbol.for('@sp/sync.error');

/** The only error class of this package: branch on `code`, read the facts from the fields. */
export class SyncError extends Error {
  /** Always this one. */
  override readonly name = 'SyncError';
  /** Why it failed. */
  readonly code: SyncErrorCode;
  /** A path in the tree, or the file on disk that failed. */
  readonly path: string | undefined;
  /** The paths that are not as they were planned (`SP_SYNC_MOVED`). */
  readonly paths: readonly string[] | undefined;
  /** HTTP status that the tenant answered. */
  readonly status: number | undefined;
  /** Whether the same call may succeed later without a change. */
  readonly retryable: boolean;

  /** For whoever has to make one, in a test for example. */
  constructor(code: SyncErrorCode, message: string, facts: SyncErrorFacts = {}) {
    super(message, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.code = code;
    this.path = facts.path;
    this.paths = facts.paths;
    this.status = facts.status;
    this.retryable = facts.retryable ?? false;
    Object.defineProperty(this, brand, { value: true });
  }
}

/** Whether `value` is a {@link SyncError}, also one from another copy of this package. */
export function isSyncError(value: unknown): value is SyncError {
  return typeof value === 'object' && value !== null && brand in value;
}

export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new SyncError('SP_SYNC_ABORTED', 'Sync given up: aborted by the caller');
}

export function storageError(path: string, error: unknown): SyncError {
  if (isSyncError(error)) return error;
  const why = systemCode(error) ?? (error instanceof Error ? error.message : 'unknown reason');
  return new SyncError('SP_SYNC_STORAGE', `Cannot use ${path}: ${why}`, { path, cause: error });
}

export function systemCode(error: unknown): string | undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : undefined;
}

export function isMissing(error: unknown): boolean {
  const code = systemCode(error);
  return code === 'ENOENT' || code === 'ENOTDIR';
}
