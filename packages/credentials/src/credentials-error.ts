const brand = Symbol.for('@sp/credentials.error');

/** What went wrong with a credential file or a login; see the tables in the README. */
export type CredentialsErrorCode =
  | 'SP_CREDENTIALS_CORRUPTED'
  | 'SP_CREDENTIALS_INVALID'
  | 'SP_CREDENTIALS_EXPIRED'
  | 'SP_CREDENTIALS_TOKEN_UNDECODABLE'
  | 'SP_LOGIN_DENIED'
  | 'SP_LOGIN_STATE_MISMATCH'
  | 'SP_LOGIN_NO_TOKEN'
  | 'SP_LOGIN_BAD_AUTHORIZE_URL'
  | 'SP_LOGIN_TIMEOUT'
  | 'SP_LOGIN_PORT_BUSY'
  | 'SP_LOGIN_LISTEN_FAILED'
  | 'SP_LOGIN_ABORTED';

/** What went wrong with a login that is renewed. */
export type TokenSourceErrorCode = 'SP_TOKEN_NOT_LOGGED_IN';

/** What went wrong with a file of CLI sessions. */
export type SessionErrorCode = 'SP_SESSION_CORRUPTED' | 'SP_SESSION_VERSION' | 'SP_SESSION_INVALID';

/** What went wrong with the process's credentials. */
export type CredentialsBootstrapErrorCode =
  | 'SP_BOOTSTRAP_NOT_INITIALIZED'
  | 'SP_BOOTSTRAP_ALREADY_INITIALIZED'
  | 'SP_BOOTSTRAP_NOT_AVAILABLE'
  | 'SP_BOOTSTRAP_FILE_NOT_FOUND'
  | 'SP_BOOTSTRAP_VALIDATION_FAILED';

/** Every code of this package. The parts of it that a program does not use cannot give it their codes. */
export type AnyCredentialsErrorCode =
  | CredentialsErrorCode
  | TokenSourceErrorCode
  | SessionErrorCode
  | CredentialsBootstrapErrorCode;

/** The facts of a {@link CredentialsError}; the README says which code has which. */
export interface CredentialsErrorFacts {
  /** The credential file. */
  readonly path?: string | undefined;
  /** What is wrong, without the value. */
  readonly reason?: string | undefined;
  /** When the token expired; absent when it says nothing that can be read. */
  readonly expiredAt?: Date | undefined;
  /** The provider's error code, for instance `access_denied`. */
  readonly error?: string | undefined;
  /** The provider's explanation. */
  readonly description?: string | undefined;
  /** How long was waited. */
  readonly seconds?: number | undefined;
  /** The local port. */
  readonly port?: number | undefined;
  /** How often the server asked for slower polls; from two on the computer's clock may run too fast. */
  readonly slowDowns?: number | undefined;
  /** The version of the session file, and those that can be read. */
  readonly version?: number | undefined;
  /** The oldest version of the file that can be read (`SP_SESSION_VERSION`). */
  readonly minVersion?: number | undefined;
  /** The newest version of the file that can be read (`SP_SESSION_VERSION`). */
  readonly maxVersion?: number | undefined;
}

/** The only error of this package. It never holds a token, a code or a value out of a file. */
export class CredentialsError extends Error implements CredentialsErrorFacts {
  /** Always `CredentialsError`. */
  override readonly name = 'CredentialsError';
  /** Why; stable, for `switch`. */
  readonly code: AnyCredentialsErrorCode;
  /** The file that it is about. */
  declare readonly path?: string | undefined;
  /** What is wrong with it, never its content. */
  declare readonly reason?: string | undefined;
  /** When the token expired. */
  declare readonly expiredAt?: Date | undefined;
  /** The provider's error code, for instance `access_denied`. */
  declare readonly error?: string | undefined;
  /** The provider's explanation. */
  declare readonly description?: string | undefined;
  /** How long was waited. */
  declare readonly seconds?: number | undefined;
  /** The port that was asked for. */
  declare readonly port?: number | undefined;
  /** How often the server asked for longer pauses. */
  declare readonly slowDowns?: number | undefined;
  /** The version that the file has (`SP_SESSION_VERSION`). */
  declare readonly version?: number | undefined;
  /** The oldest version that can be read (`SP_SESSION_VERSION`). */
  declare readonly minVersion?: number | undefined;
  /** The newest version that can be read (`SP_SESSION_VERSION`). */
  declare readonly maxVersion?: number | undefined;

  constructor(code: AnyCredentialsErrorCode, message: string, facts: CredentialsErrorFacts = {}) {
    super(message);
    this.code = code;
    Object.assign(this, facts);
    Object.defineProperty(this, brand, { value: true });
  }
}

/** True for a {@link CredentialsError} of any copy of this package. */
export function isCredentialsError(value: unknown): value is CredentialsError {
  return typeof value === 'object' && value !== null && brand in value;
}
