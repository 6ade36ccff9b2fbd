import { CloudApiError } from './errors.ts';
import { parseUrl } from './parse-url.ts';

/** Takes a one-time link apart; only links to the client's own server are followed. */
export function credentialsParams(secretsUrl: string, baseUrl: string): { id: string; token: string } {
  const url = parseUrl(secretsUrl, `${baseUrl}/`);
  if (url === undefined || url.origin !== new URL(baseUrl).origin) {
    throw new CloudApiError({
      code: 'SP_API_FOREIGN_URL',
      message: `The credentials link points to ${url?.origin ?? 'no valid address'}, not to ${baseUrl}`,
    });
  }
  const parts = /\/api\/v1\/tenants\/([^/]+)\/credentials\/([^/]+)$/.exec(url.pathname);
  if (parts?.[1] === undefined || parts[2] === undefined) {
    throw new CloudApiError({ code: 'SP_API_INVALID_REQUEST', message: 'The credentials link has an unknown form' });
  }
  try {
    return { id: decodeURIComponent(parts[1]), token: decodeURIComponent(parts[2]) };
  } catch {
    throw new CloudApiError({ code: 'SP_API_INVALID_REQUEST', message: 'The credentials link is not encoded well' });
  }
}
