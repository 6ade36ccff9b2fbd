/** Why the Postgres of local tenants failed. Codes are stable; messages are not. */
export type LocalPostgresErrorCode =
  /** No Docker engine answers, or it has no Compose. */
  | 'SP_POSTGRES_DOCKER_MISSING'
  /** Docker did not start the container, or Postgres ended in it. */
  | 'SP_POSTGRES_NOT_STARTED'
  /** The container runs, and Postgres in it does not accept connections in time. */
  | 'SP_POSTGRES_NOT_HEALTHY'
  /** The file with the server's password cannot be understood. */
  | 'SP_POSTGRES_CONFIG_INVALID'
  /** A name that no database may have. */
  | 'SP_POSTGRES_NAME_INVALID';

/** The facts that a {@link LocalPostgresError} may carry besides its code. */
export interface LocalPostgresErrorFacts {
  /** The file that it is about. */
  readonly path?: string | undefined;
  /** The container that it is about. */
  readonly container?: string | undefined;
  /** The last words of Docker or of Postgres, without passwords. */
  readonly reason?: string | undefined;
}

const brand = Symbol.for('@sp/local-postgres.error');

/** The only error class of this package. It never holds a password. */
export class LocalPostgresError extends Error implements LocalPostgresErrorFacts {
  /** Always `LocalPostgresError`. */
  override readonly name = 'LocalPostgresError';
  /** Why it failed; switch on it. */
  readonly code: LocalPostgresErrorCode;
  /** {@inheritDoc LocalPostgresErrorFacts.path} */
  readonly path: string | undefined;
  /** {@inheritDoc LocalPostgresErrorFacts.container} */
  readonly container: string | undefined;
  /** {@inheritDoc LocalPostgresErrorFacts.reason} */
  readonly reason: string | undefined;

  constructor(code: LocalPostgresErrorCode, message: string, facts: LocalPostgresErrorFacts = {}) {
    super(message);
    this.code = code;
    this.path = facts.path;
    this.container = facts.container;
    this.reason = facts.reason;
    Object.defineProperty(this, brand, { value: true });
  }
}

/** Whether `value` is a {@link LocalPostgresError}, also one from another copy of this package. */
export function isLocalPostgresError(value: unknown): value is LocalPostgresError {
  return typeof value === 'object' && value !== null && brand in value;
}
