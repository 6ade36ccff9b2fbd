/** Why a command of the operator could not do its work. */
export type OperatorErrorCode =
  /** Postgres did not answer, or did not let us in. */
  | 'SP_DATABASE_UNREACHABLE'
  /** The database lacks migrations of this version. */
  | 'SP_DATABASE_OUTDATED'
  /** The address to listen on is taken, or not ours. */
  | 'SP_LISTEN_FAILED'
  /** Another process looks after the machines of this computer. */
  | 'SP_MACHINES_IN_USE'
  | 'SP_USER_NOT_FOUND'
  /** Several users have the address. */
  | 'SP_USER_AMBIGUOUS'
  | 'SP_TENANT_NOT_FOUND'
  | 'SP_TOKEN_LIMIT'
  /** A key is not among those that were configured. */
  | 'SP_KEY_MISSING';

/** The only error that commands throw on purpose; its message holds no secret. */
export class OperatorError extends Error {
  override readonly name = 'OperatorError';
  readonly code: OperatorErrorCode;

  constructor(code: OperatorErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}
