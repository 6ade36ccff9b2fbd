/** What only the command line can know or get wrong. */
export type CliErrorCode =
  /** A value is missing and there is no terminal to ask on. */
  | 'SP_CLI_INPUT_NEEDED'
  /** The person answered a prompt with Ctrl-C or no. */
  | 'SP_CLI_CANCELLED'
  | 'SP_CLI_NO_PROJECT'
  | 'SP_CLI_NOT_LOGGED_IN'
  | 'SP_CLI_PROFILE_NOT_FOUND'
  | 'SP_CLI_PROFILE_EXISTS'
  /** The profile has no cloud tenant. */
  | 'SP_CLI_PROFILE_NOT_CLOUD'
  | 'SP_CLI_TENANT_NOT_FOUND'
  | 'SP_CLI_PLAN_NOT_FOUND'
  /** What was typed to confirm is not the name of what would be destroyed. */
  | 'SP_CLI_NOT_CONFIRMED'
  /** The name cannot be a secret's, or is set by the platform. */
  | 'SP_CLI_SECRET_REFUSED'
  /** A file that would be written is there already. */
  | 'SP_CLI_FILE_EXISTS'
  /** The API accepted a change and could not carry it out. */
  | 'SP_CLI_OPERATION_FAILED'
  | 'SP_CLI_NO_PAGE'
  | 'SP_CLI_CODE_NOT_FOUND'
  /** No checkout of this project is left to resume. */
  | 'SP_CLI_CHECKOUT_NOT_FOUND'
  /** The tenant exists, but its one-time credentials cannot be had (any more). */
  | 'SP_CLI_CREDENTIALS_UNAVAILABLE'
  /** This project does not know the database of a tenant or profile, or only with a mask for its password. */
  | 'SP_CLI_DATABASE_UNKNOWN'
  /** The database cannot be a tenant's: its version, or what its role may do. */
  | 'SP_CLI_DATABASE_UNSUITABLE'
  /** This project does not have the token with which a tenant's files are synced. */
  | 'SP_CLI_SYNC_TOKEN_UNKNOWN'
  /** The running tenant has changes that the project lacks: a deploy would lose them. */
  | 'SP_CLI_TENANT_EDITED'
  /** The operating system refused something; see `systemCode`. */
  | 'SP_CLI_SYSTEM'
  /** `@sp/management-api` is not installed. */
  | 'SP_CLI_LOCAL_NOT_INSTALLED'
  | 'SP_CLI_LOCAL_NOT_RUNNING'
  | 'SP_CLI_LOCAL_FAILED'
  | 'SP_CLI_LOCAL_PORT_BUSY'
  | 'SP_CLI_LOCAL_TIMEOUT'
  | 'SP_CLI_USAGE'
  | 'SP_CLI_UNKNOWN_COMMAND'
  | 'SP_CLI_INTERRUPTED'
  | 'SP_CLI_BUG';

/** Facts that some errors carry; each also appears in `--json`, in snake_case. */
export interface CliErrorFacts {
  /** Flags whose value is missing. */
  readonly flags?: readonly string[] | undefined;
  /** Ready-to-run command lines that go on from here. */
  readonly next?: readonly string[] | undefined;
  readonly directory?: string | undefined;
  readonly path?: string | undefined;
  readonly port?: number | undefined;
  readonly tenantId?: string | undefined;
  readonly lastLines?: readonly string[] | undefined;
  /** What exists instead of what was asked for. */
  readonly available?: readonly string[] | undefined;
  /** Files that it is about. */
  readonly paths?: readonly string[] | undefined;
}

/** The error of the command line itself; libraries throw their own. */
export class CliError extends Error {
  override readonly name = 'CliError';
  readonly code: CliErrorCode;
  readonly flags: readonly string[] | undefined;
  readonly next: readonly string[] | undefined;
  readonly directory: string | undefined;
  readonly path: string | undefined;
  readonly port: number | undefined;
  readonly tenantId: string | undefined;
  readonly lastLines: readonly string[] | undefined;
  readonly available: readonly string[] | undefined;
  readonly paths: readonly string[] | undefined;

  constructor(code: CliErrorCode, message: string, facts: CliErrorFacts = {}) {
    super(message);
    this.code = code;
    this.flags = facts.flags;
    this.next = facts.next;
    this.directory = facts.directory;
    this.path = facts.path;
    this.port = facts.port;
    this.tenantId = facts.tenantId;
    this.lastLines = facts.lastLines;
    this.available = facts.available;
    this.paths = facts.paths;
  }
}
