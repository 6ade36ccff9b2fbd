import { Buffer } from 'node:buffer';
import type { CloudCredentials } from './cloud-credentials.ts';
import { CredentialsError } from './credentials-error.ts';

/** What time it is. */
export interface TokenExpiryOptions {
  /**
   * The current time in milliseconds since 1970.
   *
   * @defaultValue `Date.now`
   */
  readonly now?: (() => number) | undefined;
}

/** `expires-soon`: within an hour. */
export type TokenStatus = 'valid' | 'expires-soon' | 'expired';

/**
 * When the token expires, in seconds since 1970. Only read, never verified: whether the token is genuine is the
 * server's to say.
 *
 * @throws {CredentialsError} `SP_CREDENTIALS_TOKEN_UNDECODABLE`: it is no JWT whose payload has an integer `exp`
 */
export function decodeTokenExpiry(token: string): number {
  const parts = token.split('.');
  const payload = parts.length === 3 ? parseJson(decodeBase64Url(parts[1] ?? '')) : undefined;
  if (typeof payload === 'object' && payload !== null && !Array.isArray(payload) && 'exp' in payload) {
    const { exp } = payload;
    // The wire type is a signed 64-bit integer.
    if (typeof exp === 'number' && Number.isInteger(exp) && Math.abs(exp) <= 2 ** 63) return exp;
  }
  const reason = parts.length === 3 ? 'its payload has no readable integer `exp`' : 'it does not have three parts';
  throw new CredentialsError('SP_CREDENTIALS_TOKEN_UNDECODABLE', `Cannot read when the token expires: ${reason}`, {
    reason,
  });
}

/** Whether the token's last second is over. A token that cannot be decoded counts as expired. */
export function isTokenExpired(token: string, options: TokenExpiryOptions = {}): boolean {
  return expiresBefore(token, nowInSeconds(options));
}

/** Whether the token expires in less than so many (whole) seconds. A token that cannot be decoded does. */
export function tokenExpiresWithin(token: string, seconds: number, options: TokenExpiryOptions = {}): boolean {
  return expiresBefore(token, nowInSeconds(options) + Math.floor(seconds));
}

/** How long the token is still good, in one word. */
export function tokenStatus(token: string, options: TokenExpiryOptions = {}): TokenStatus {
  if (isTokenExpired(token, options)) return 'expired';
  return tokenExpiresWithin(token, 3600, options) ? 'expires-soon' : 'valid';
}

/** When the credentials' token expires, in seconds since 1970: as it says itself, else as the server said. */
export function tokenExpiry(credentials: CloudCredentials): number | undefined {
  try {
    return decodeTokenExpiry(credentials.apiToken);
  } catch {
    return credentials.expiresAt && credentials.expiresAt.getTime() / 1000;
  }
}

/** The refusal of credentials whose token is over, or says nothing about it. */
export function expiredCredentials(path: string, credentials: CloudCredentials): CredentialsError {
  const expiry = tokenExpiry(credentials);
  const date = expiry === undefined ? undefined : new Date(expiry * 1000);
  const expiredAt = date === undefined || Number.isNaN(date.getTime()) ? undefined : date;
  const since = expiredAt ? ` since ${expiredAt.toISOString()}` : ': its expiry cannot be read';
  return new CredentialsError('SP_CREDENTIALS_EXPIRED', `The token in ${path} is expired${since}`, { path, expiredAt });
}

function expiresBefore(token: string, seconds: number): boolean {
  try {
    return decodeTokenExpiry(token) < seconds;
  } catch {
    return true;
  }
}

function nowInSeconds(options: TokenExpiryOptions): number {
  const { now = Date.now } = options;
  return Math.floor(now() / 1000);
}

/** Node's decoder skips what it does not know; only what encodes back to the same text was base64url. */
function decodeBase64Url(text: string): Uint8Array | undefined {
  const bytes = Buffer.from(text, 'base64url');
  return bytes.toString('base64url') === text ? bytes : undefined;
}

function parseJson(bytes: Uint8Array | undefined): unknown {
  if (!bytes) return undefined;
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)) as unknown;
  } catch {
    return undefined;
  }
}
