const brand = Symbol.for('@sp/management-api.identity-refused');

/** A provider does not vouch for the person; `message` is a sentence for them. */
export class IdentityRefused extends Error {
  override readonly name = 'IdentityRefused';

  constructor(message: string) {
    super(message);
    Object.defineProperty(this, brand, { value: true });
  }
}

/** Whether a value is an {@link IdentityRefused}. */
export function isIdentityRefused(value: unknown): value is IdentityRefused {
  return typeof value === 'object' && value !== null && brand in value;
}
