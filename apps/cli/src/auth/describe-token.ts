import type { TokenStatus } from '@sp/credentials';

/** How long a token is still good. */
export interface TokenDescription {
  /** `unknown`: a token of the environment that does not tell when it expires. */
  readonly status: TokenStatus | 'unknown';
  readonly expiresAt?: Date | undefined;
}

/** Describes a token without showing any of it. */
export async function describeToken(token: string): Promise<TokenDescription> {
  const { decodeTokenExpiry, isCredentialsError, tokenStatus } = await import('@sp/credentials');
  try {
    return { expiresAt: new Date(decodeTokenExpiry(token) * 1000), status: tokenStatus(token) };
  } catch (error) {
    if (isCredentialsError(error)) return { status: 'unknown' };
    throw error;
  }
}

/** What a person has to know of it: one that is renewed in time never expires for them. */
export function renderTokenStatus(
  status: TokenDescription['status'],
  { renewed }: { readonly renewed: boolean },
): string {
  return renewed && (status === 'valid' || status === 'expires-soon') ? 'valid, renewed by itself' : status;
}
