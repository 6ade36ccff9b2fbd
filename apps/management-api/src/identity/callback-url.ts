import type { OAuthProvider } from '@sp/cloud-api/contract';

/** The route that providers send people back to. */
export const callbackPath = '/api/v1/auth/oauth/:provider/callback';

/** The one address that a provider may send people back to. */
export function callbackUrl(baseUrl: string, provider: OAuthProvider): string {
  return `${baseUrl}/api/v1/auth/oauth/${provider}/callback`;
}

/** Narrows what stands in an address to a provider. */
export function isOAuthProvider(value: string): value is OAuthProvider {
  return value === 'github' || value === 'google';
}
