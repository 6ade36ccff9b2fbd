/** What went wrong between us and an identity provider. */
export type IdentityErrorCode =
  /** It does not answer, too late, or with a failure of its own. */
  | 'SP_IDENTITY_UNAVAILABLE'
  /** It does not know our client, or its secret, or the address that people return to. */
  | 'SP_IDENTITY_CLIENT'
  /** Its answer lacks what is needed. */
  | 'SP_IDENTITY_RESPONSE';

const brand = Symbol.for('@sp/management-api.identity-error');

/** An identity provider that could not be asked. Carries neither codes nor tokens. */
export class IdentityError extends Error {
  override readonly name = 'IdentityError';
  readonly code: IdentityErrorCode;
  /** Whom we asked: `GitHub`. */
  readonly provider: string;

  constructor(code: IdentityErrorCode, facts: { readonly provider: string; readonly reason: string }) {
    super(`${facts.provider} could not be asked who somebody is: ${facts.reason}`);
    this.code = code;
    this.provider = facts.provider;
    Object.defineProperty(this, brand, { value: true });
  }
}

/** Whether a value is an {@link IdentityError}. */
export function isIdentityError(value: unknown): value is IdentityError {
  return typeof value === 'object' && value !== null && brand in value;
}
