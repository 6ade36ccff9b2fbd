import type { ContentfulStatusCode } from 'hono/utils/http-status';

const brand = Symbol.for('@sp/management-api.failure');

/** An answer other than success: what the client gets is exactly this, in the contract's error body. */
export class ApiFailure extends Error {
  override readonly name = 'ApiFailure';
  readonly status: ContentfulStatusCode;
  /** snake_case, stable: programs decide by it. */
  readonly code: string;
  /** Response headers that belong to the failure, such as `www-authenticate`. */
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    message: string,
    facts: {
      readonly status: ContentfulStatusCode;
      readonly code: string;
      readonly headers?: Readonly<Record<string, string>>;
    },
  ) {
    super(message);
    const { status, code, headers = {} } = facts;
    this.status = status;
    this.code = code;
    this.headers = headers;
    Object.defineProperty(this, brand, { value: true });
  }
}

/** Whether a value is an {@link ApiFailure}. */
export function isApiFailure(value: unknown): value is ApiFailure {
  return typeof value === 'object' && value !== null && brand in value;
}

/** 400: what was sent breaks a rule that the contract states. */
export function invalidRequest(message: string): ApiFailure {
  return new ApiFailure(message, { status: 400, code: 'invalid_request' });
}

/** 401: no token, or one that is not (or no longer) good. Which of these is not said. */
export function unauthorized(): ApiFailure {
  return new ApiFailure('The request has no valid access token.', {
    status: 401,
    code: 'unauthorized',
    headers: { 'www-authenticate': 'Bearer' },
  });
}

/** 404: the same for a tenant that does not exist and for one that belongs to somebody else. */
export function tenantNotFound(): ApiFailure {
  return new ApiFailure('There is no such tenant.', { status: 404, code: 'tenant_not_found' });
}

/** 405: there is something at the address, which answers to other methods. */
export function methodNotAllowed(allowed: readonly string[]): ApiFailure {
  const allow = allowed.join(', ');
  return new ApiFailure(`The method is not one of those of this address: ${allow}.`, {
    status: 405,
    code: 'method_not_allowed',
    headers: { allow },
  });
}

/** 499: the client went away before there was an answer; nobody reads this one. What it asked for may go on. */
export function clientGone(): ApiFailure {
  return new ApiFailure('The client went away.', { status: clientGoneStatus, code: 'client_gone' });
}

/** No standard has it; the log and the metrics of others know it by this number. */
export const clientGoneStatus = 499 as ContentfulStatusCode;

/** Whether an error is nothing but the end of its own request. */
export function isEndOf(request: Request, error: unknown): boolean {
  const { name, code } = (error ?? {}) as { readonly name?: unknown; readonly code?: unknown };
  const { aborted, reason } = request.signal;
  const broken = name === 'AbortError' || code === 'ECONNRESET' || code === 'ERR_STREAM_PREMATURE_CLOSE';
  return aborted && (broken || error === reason);
}
