/** Why a checkout, or the wait for what was paid, failed. Codes are stable; messages are not. */
export type CheckoutErrorCode =
  | 'SP_CHECKOUT_DECLINED'
  | 'SP_CHECKOUT_PROVISIONING_FAILED'
  | 'SP_CHECKOUT_BAD_URL'
  | 'SP_CHECKOUT_TIMEOUT'
  | 'SP_CHECKOUT_ABORTED'
  | 'SP_CHECKOUT_PORT_BUSY'
  | 'SP_CHECKOUT_LISTEN_FAILED';

/** The facts a {@link CheckoutError} may carry besides its code. */
export interface CheckoutErrorFacts {
  /** What the payment page said (`SP_CHECKOUT_DECLINED`), in the words of the platform, or what is wrong (`SP_CHECKOUT_BAD_URL`). */
  readonly reason?: string | undefined;
  /** The tenant that could not be made, or was waited for. */
  readonly tenantId?: string | undefined;
  /** The session to resume with (`SP_CHECKOUT_TIMEOUT`, `SP_CHECKOUT_ABORTED`). */
  readonly checkoutSessionId?: string | undefined;
  /** How long was waited (`SP_CHECKOUT_TIMEOUT`). */
  readonly seconds?: number | undefined;
  /** The port that was asked for. */
  readonly port?: number | undefined;
  /** An error of the operating system. */
  readonly cause?: unknown;
}

const brand = Symbol.for('@sp/checkout.error');

/** The only error class of this package; errors of the API come out as `CloudApiError`. */
export class CheckoutError extends Error {
  /** Always `CheckoutError`. */
  override readonly name = 'CheckoutError';
  /** Why; stable, for `switch`. */
  readonly code: CheckoutErrorCode;
  /** What the payment page said (`SP_CHECKOUT_DECLINED`), in the words of the platform, or what is wrong (`SP_CHECKOUT_BAD_URL`). */
  readonly reason: string | undefined;
  /** The tenant that could not be made, or was waited for. */
  readonly tenantId: string | undefined;
  /** The session to resume with (`SP_CHECKOUT_TIMEOUT`, `SP_CHECKOUT_ABORTED`). */
  readonly checkoutSessionId: string | undefined;
  /** How long was waited (`SP_CHECKOUT_TIMEOUT`). */
  readonly seconds: number | undefined;
  /** The port that was asked for. */
  readonly port: number | undefined;

  constructor(code: CheckoutErrorCode, message: string, facts: CheckoutErrorFacts = {}) {
    super(message, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.code = code;
    this.reason = facts.reason;
    this.tenantId = facts.tenantId;
    this.checkoutSessionId = facts.checkoutSessionId;
    this.seconds = facts.seconds;
    this.port = facts.port;
    Object.defineProperty(this, brand, { value: true });
  }
}

/** Whether `value` is a {@link CheckoutError}, also one from another copy of this package. */
export function isCheckoutError(value: unknown): value is CheckoutError {
  return typeof value === 'object' && value !== null && brand in value;
}
