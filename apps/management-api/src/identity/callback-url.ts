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

/** The address that a browser came back to, with everything that stood in its query. */
export function returnedUrl(redirectUri: string, answer: URLSearchParams): URL {
  const url = new URL(redirectUri);
  url.search = answer.toString();
  return url;
}
