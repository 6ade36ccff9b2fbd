const brand = Symbol.for('@sp/loopback.error');

/** What went wrong with a loopback listener; see the table in the README. */
export type LoopbackErrorCode =
  | 'SP_LOOPBACK_PORT_BUSY'
  | 'SP_LOOPBACK_LISTEN_FAILED'
  | 'SP_LOOPBACK_TIMEOUT'
  | 'SP_LOOPBACK_ABORTED'
  | 'SP_LOOPBACK_CLOSED';

/** The facts of a {@link LoopbackError}. */
export interface LoopbackErrorFacts {
  /** The port that was asked for or listened on. */
  readonly port?: number | undefined;
  /** How long was waited, with `SP_LOOPBACK_TIMEOUT`. */
  readonly seconds?: number | undefined;
  /** An error of the operating system. */
  readonly cause?: unknown;
}

/** The only error of this package. It holds nothing of what a browser sent. */
export class LoopbackError extends Error {
  /** Always `LoopbackError`. */
  override readonly name = 'LoopbackError';
  /** Why; stable, for `switch`. */
  readonly code: LoopbackErrorCode;
  /** The port that was asked for or listened on. */
  readonly port: number | undefined;
  /** How long was waited, with `SP_LOOPBACK_TIMEOUT`. */
  readonly seconds: number | undefined;

  constructor(code: LoopbackErrorCode, message: string, facts: LoopbackErrorFacts = {}) {
    super(message, 'cause' in facts ? { cause: facts.cause } : undefined);
    this.code = code;
    this.port = facts.port;
    this.seconds = facts.seconds;
    Object.defineProperty(this, brand, { value: true });
  }
}

/** True for a {@link LoopbackError} of any copy of this package. */
export function isLoopbackError(value: unknown): value is LoopbackError {
  return typeof value === 'object' && value !== null && brand in value;
}
