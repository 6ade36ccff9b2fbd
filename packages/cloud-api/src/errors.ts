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
  /** Why; the same for every language and version. */
  readonly code: CloudApiErrorCode;
  /** One line for people. */
  readonly message: string;
  /** HTTP status; absent when there was no answer. */
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
  /** Always `CloudApiError`. */
  override readonly name = 'CloudApiError';
  /** Why; stable, for `switch`. */
  readonly code: CloudApiErrorCode;
  /** HTTP status; `undefined` when there was no answer. */
  readonly status: number | undefined;
  /** `error.code` of the server's answer, finer than `code`. */
  readonly serverCode: string | undefined;
  /** The server's name for the request, for its support. */
  readonly requestId: string | undefined;
  /** Whether the same call may succeed later. */
  readonly retryable: boolean;
  /** System error code of a failed connection, such as `ECONNREFUSED`. */
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
