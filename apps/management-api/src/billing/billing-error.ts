import type { FailureClass } from '../ports/failure.ts';

/** What went wrong at the payment provider. */
export type BillingErrorCode =
  /** It does not answer, too late, or with a failure of its own. */
  | 'SP_BILLING_UNAVAILABLE'
  /** It wants fewer requests. */
  | 'SP_BILLING_BUSY'
  /** It does not know our key, or the key may not do this. */
  | 'SP_BILLING_KEY'
  /** It knows nothing of the thing that was asked for. */
  | 'SP_BILLING_NOT_FOUND'
  /** It refused the request. */
  | 'SP_BILLING_REFUSED'
  /** Its answer lacks what is needed. */
  | 'SP_BILLING_RESPONSE';

const brand = Symbol.for('@sp/management-api.billing-error');

const classes: Readonly<Record<BillingErrorCode, FailureClass>> = {
  SP_BILLING_UNAVAILABLE: 'ambiguous',
  SP_BILLING_BUSY: 'transient',
  SP_BILLING_KEY: 'permanent',
  SP_BILLING_NOT_FOUND: 'permanent',
  SP_BILLING_REFUSED: 'permanent',
  SP_BILLING_RESPONSE: 'permanent',
};

/** A call to the payment provider that failed. Carries nothing of the request: neither the key nor who pays. */
export class BillingError extends Error {
  override readonly name = 'BillingError';
  readonly code: BillingErrorCode;
  /** What was tried: `list prices`. */
  readonly operation: string;
  /** The provider's own word for it. */
  readonly providerCode: string | undefined;
  /** How long the provider wants to be left alone, in seconds. */
  readonly retryAfterSeconds: number | undefined;
  readonly failureClass: FailureClass;

  constructor(
    code: BillingErrorCode,
    facts: {
      readonly operation: string;
      /** Why, in a few words. */
      readonly reason: string;
      readonly providerCode?: string | undefined;
      readonly retryAfterSeconds?: number | undefined;
    },
  ) {
    const { operation, reason, providerCode, retryAfterSeconds } = facts;
    super(`The payment provider could not ${operation}: ${reason}`);
    this.code = code;
    this.operation = operation;
    this.providerCode = providerCode;
    this.retryAfterSeconds = retryAfterSeconds;
    this.failureClass = classes[code];
    Object.defineProperty(this, brand, { value: true });
  }
}

/** Whether a value is a {@link BillingError}. */
export function isBillingError(value: unknown): value is BillingError {
  return typeof value === 'object' && value !== null && brand in value;
}
