/** What can go wrong with a cloud on this computer. */
export type LocalCloudErrorCode =
  /** Another program listens on the port; `port`. */
  | 'SP_LOCAL_PORT_BUSY'
  /** The data folder is in use by a living process; `pid`, `url`. */
  | 'SP_LOCAL_ALREADY_RUNNING'
  /** This process runs a local cloud already; the workflow engine is one per process. */
  | 'SP_LOCAL_ONE_PER_PROCESS'
  /** Docker machines were asked for and no engine answers; `reason`. */
  | 'SP_LOCAL_DOCKER_UNAVAILABLE'
  /** There are no Postgres binaries for this platform, or they are incomplete; `reason`. */
  | 'SP_LOCAL_POSTGRES_UNAVAILABLE'
  /** Postgres did not start; `reason` holds the end of its log. */
  | 'SP_LOCAL_POSTGRES_FAILED'
  /** A file of the data folder is not what this program wrote; `path`. */
  | 'SP_LOCAL_DATA_INVALID';

/** The facts of a failure, where they are known. */
export interface LocalCloudErrorFacts {
  readonly port?: number | undefined;
  readonly pid?: number | undefined;
  readonly url?: string | undefined;
  readonly path?: string | undefined;
  readonly reason?: string | undefined;
}

const brand = Symbol.for('@sp/management-api.error');

/** A failure of the cloud on this computer. */
export class LocalCloudError extends Error {
  override readonly name = 'LocalCloudError';
  readonly code: LocalCloudErrorCode;
  readonly port: number | undefined;
  readonly pid: number | undefined;
  readonly url: string | undefined;
  readonly path: string | undefined;
  readonly reason: string | undefined;

  constructor(code: LocalCloudErrorCode, options: LocalCloudErrorFacts & { readonly message: string }) {
    super(options.message);
    this.code = code;
    this.port = options.port;
    this.pid = options.pid;
    this.url = options.url;
    this.path = options.path;
    this.reason = options.reason;
    Object.defineProperty(this, brand, { value: true });
  }
}

/** True for a {@link LocalCloudError}, also of another copy of this package. */
export function isLocalCloudError(value: unknown): value is LocalCloudError {
  return typeof value === 'object' && value !== null && brand in value;
}
