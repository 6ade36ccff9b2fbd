/** Why a call failed. */
export type CloudApiErrorCode =
  /** An argument can never make a valid request. */
  | 'SP_API_INVALID_REQUEST'
  /** The address given belongs to another server than the client's. */
  | 'SP_API_FOREIGN_URL'
  /** No token, or the server does not take it. */
  | 'SP_API_UNAUTHORIZED'
  | 'SP_API_FORBIDDEN'
  | 'SP_API_NOT_FOUND'
  | 'SP_API_CONFLICT'
  /** It was there, and can be had no more (a one-time link). */
  | 'SP_API_GONE'
  | 'SP_API_RATE_LIMITED'
  /** The server refused the request for another reason; see `serverCode`. */
  | 'SP_API_REJECTED'
  | 'SP_API_SERVER'
  /** The server answered something that the contract does not know. */
  | 'SP_API_INVALID_RESPONSE'
  | 'SP_API_NETWORK'
  | 'SP_API_TIMEOUT'
  | 'SP_API_ABORTED';

/** Facts of a failed call. */
export interface CloudApiErrorFacts {
  readonly code: CloudApiErrorCode;
  readonly message: string;
  readonly status?: number | undefined;
  /** `error.code` of the server's answer. */
  readonly serverCode?: string | undefined;
  /** The server's name for the request. */
  readonly requestId?: string | undefined;
  /** Whether the same call may succeed later. */
  readonly retryable?: boolean | undefined;
  /** System error code of a failed connection, such as `ECONNREFUSED`. */
  readonly systemCode?: string | undefined;
}

const brand = Symbol.for('@sp/cloud-api.error');

/** The only error that leaves this package. It holds no token, no request body and no error of a third party. */
export class CloudApiError extends Error {
  override readonly name = 'CloudApiError';
  readonly code: CloudApiErrorCode;
  readonly status: number | undefined;
  readonly serverCode: string | undefined;
  readonly requestId: string | undefined;
  readonly retryable: boolean;
  readonly systemCode: string | undefined;

  constructor(facts: CloudApiErrorFacts) {
    super(facts.message);
    this.code = facts.code;
    this.status = facts.status;
    this.serverCode = facts.serverCode;
    this.requestId = facts.requestId;
    this.retryable = facts.retryable ?? false;
    this.systemCode = facts.systemCode;
    Object.defineProperty(this, brand, { value: true });
  }
}

/** Whether `value` is a {@link CloudApiError}, also one of another copy of this package. */
export function isCloudApiError(value: unknown): value is CloudApiError {
  return typeof value === 'object' && value !== null && brand in value;
}
