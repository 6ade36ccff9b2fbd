/** Why something about a database failed. Codes are stable; messages are not. */
export type DatabaseErrorCode =
  /** The text is no URL of a Postgres database. */
  | 'SP_DATABASE_URL_INVALID'
  /** Nothing answers there, or not in time, or the connection broke. */
  | 'SP_DATABASE_UNREACHABLE'
  /** The server refused the user or the password. */
  | 'SP_DATABASE_LOGIN_REFUSED'
  /** The server has no database of this name. */
  | 'SP_DATABASE_NOT_FOUND'
  /** Postgres refused a statement; `sqlState` says why. */
  | 'SP_DATABASE_QUERY_FAILED'
  /** `pg_dump`, `pg_restore` or `psql` is not there, or older than the server. */
  | 'SP_DATABASE_TOOL_MISSING'
  /** One of them failed. */
  | 'SP_DATABASE_TOOL_FAILED'
  /** There is a file or folder already where the backup would go. */
  | 'SP_DATABASE_BACKUP_EXISTS'
  /** There is no backup at this path. */
  | 'SP_DATABASE_BACKUP_NOT_FOUND'
  /** The backup is not what was written: cut, changed, or without its description. */
  | 'SP_DATABASE_BACKUP_DAMAGED'
  /** The backup has a form that Postgres does not read, or is of a Postgres that is too new for the server. */
  | 'SP_DATABASE_BACKUP_UNSUITABLE'
  /** What came out of a backup or a copy is not what went in. */
  | 'SP_DATABASE_ROWS_DIFFER'
  /** The database to restore into has tables already. */
  | 'SP_DATABASE_NOT_EMPTY'
  /** The port on this computer is taken. */
  | 'SP_DATABASE_PORT_BUSY';

/** The facts that a {@link DatabaseError} may carry besides its code. */
export interface DatabaseErrorFacts {
  /** `host:port/database`, never with a password. */
  readonly address?: string | undefined;
  /** The five characters by which Postgres names an error, for example `42P01`. */
  readonly sqlState?: string | undefined;
  /** Where in the statement, in characters from 1. */
  readonly position?: number | undefined;
  /** `pg_dump`, `pg_restore` or `psql`. */
  readonly tool?: string | undefined;
  /** The major version that is needed: of the tool, or of the server for a backup that is too new for it. */
  readonly neededVersion?: number | undefined;
  /** The newest version of the tool that was found, or the server's; absent when there is none. */
  readonly foundVersion?: number | undefined;
  /** The file or folder that it is about. */
  readonly path?: string | undefined;
  /** A port on this computer. */
  readonly port?: number | undefined;
  /** Tables with other numbers of rows than expected (`SP_DATABASE_ROWS_DIFFER`). */
  readonly differences?: readonly RowDifference[] | undefined;
}

/** A table that does not have the rows that it should have. */
export interface RowDifference {
  /** `schema.table`. */
  readonly table: string;
  /** Rows that it should have; absent when it should not exist. */
  readonly expected?: number | undefined;
  /** Rows that it has; absent when it does not exist. */
  readonly found?: number | undefined;
}

const brand = Symbol.for('@sp/database.error');

/** The only error class of this package. No member holds a password or a row. */
export class DatabaseError extends Error implements DatabaseErrorFacts {
  /** Always `DatabaseError`. */
  override readonly name = 'DatabaseError';
  /** Why it failed; switch on it. */
  readonly code: DatabaseErrorCode;
  /** {@inheritDoc DatabaseErrorFacts.address} */
  readonly address: string | undefined;
  /** {@inheritDoc DatabaseErrorFacts.sqlState} */
  readonly sqlState: string | undefined;
  /** {@inheritDoc DatabaseErrorFacts.position} */
  readonly position: number | undefined;
  /** {@inheritDoc DatabaseErrorFacts.tool} */
  readonly tool: string | undefined;
  /** {@inheritDoc DatabaseErrorFacts.neededVersion} */
  readonly neededVersion: number | undefined;
  /** {@inheritDoc DatabaseErrorFacts.foundVersion} */
  readonly foundVersion: number | undefined;
  /** {@inheritDoc DatabaseErrorFacts.path} */
  readonly path: string | undefined;
  /** {@inheritDoc DatabaseErrorFacts.port} */
  readonly port: number | undefined;
  /** {@inheritDoc DatabaseErrorFacts.differences} */
  readonly differences: readonly RowDifference[] | undefined;

  constructor(code: DatabaseErrorCode, message: string, facts: DatabaseErrorFacts = {}) {
    super(message);
    this.code = code;
    this.address = facts.address;
    this.sqlState = facts.sqlState;
    this.position = facts.position;
    this.tool = facts.tool;
    this.neededVersion = facts.neededVersion;
    this.foundVersion = facts.foundVersion;
    this.path = facts.path;
    this.port = facts.port;
    this.differences = facts.differences;
    Object.defineProperty(this, brand, { value: true });
  }
}

/** Whether `value` is a {@link DatabaseError}, also one from another copy of this package. */
export function isDatabaseError(value: unknown): value is DatabaseError {
  return typeof value === 'object' && value !== null && brand in value;
}
