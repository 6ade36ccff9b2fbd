import { isIP } from 'node:net';
import * as z from 'zod/mini';
import { isTimestamp, membersOf } from './json.ts';

/** Who is logged in, and where. */
export interface CloudCredentials {
  /** The bearer token of the Management API, a JWT. A secret. */
  readonly apiToken: string;
  /** The Management API's address; paths are put behind it as it is. */
  readonly apiUrl: string;
  /** When the login was. */
  readonly authenticatedAt: Date;
  /** The user's e-mail address; empty when it is not known (credentials from the environment). */
  readonly userEmail: string;
  /** Gets the next token; absent after a login that gave none. A secret. */
  readonly refreshToken?: string | undefined;
  /** When `apiToken` expires, as the server said; the token itself says it too when it is a JWT. */
  readonly expiresAt?: Date | undefined;
}

/** The credentials as they are in the file. */
interface StoredCredentials {
  readonly api_token: string;
  readonly api_url: string;
  readonly authenticated_at: string;
  readonly user_email: string;
  readonly refresh_token?: string | undefined;
  readonly expires_at?: string | undefined;
}

// The predecessor's rules. Every rule has a text of its own: zod's may quote the value, and one of them is a secret.
const storedSchema = z.object(
  {
    api_token: z.string('`api_token` is not a text').check(z.minLength(1, '`api_token` is empty')),
    api_url: z.string('`api_url` is not a text').check(z.refine(isAbsoluteUrl, '`api_url` is not an absolute URL')),
    authenticated_at: z
      .string('`authenticated_at` is not a text')
      .check(z.refine(isTimestamp, '`authenticated_at` is not an RFC 3339 time')),
    user_email: z
      .string('`user_email` is not a text')
      .check(z.refine(isEmail, '`user_email` is not an e-mail address')),
  },
  'it is not a JSON object',
);

/** Credentials, or the reason why they are none. */
export type ParsedCredentials =
  | { readonly credentials: CloudCredentials; readonly reason?: undefined }
  | { readonly credentials?: undefined; readonly reason: string };

/** Checks the file's content (already JSON) by every rule. */
export function parseStoredCredentials(value: unknown): ParsedCredentials {
  const parsed = storedSchema.safeParse(value);
  if (!parsed.success) return { reason: parsed.error.issues[0]?.message ?? 'it is not valid' };
  const { api_token, api_url, authenticated_at, user_email } = parsed.data;
  const authenticatedAt = new Date(authenticated_at);
  const credentials = { apiToken: api_token, apiUrl: api_url, authenticatedAt, userEmail: user_email };
  return { credentials: { ...credentials, ...readRefresh(value) } };
}

/**
 * What the predecessor does not know. It is not held to rules: damaged, it costs a login when the token expires, and not
 * one now.
 */
function readRefresh(value: unknown): Pick<CloudCredentials, 'refreshToken' | 'expiresAt'> {
  const members = new Map(membersOf(value));
  const token = members.get('refresh_token');
  const expiry = members.get('expires_at');
  return {
    ...(typeof token === 'string' && token !== '' ? { refreshToken: token } : {}),
    ...(typeof expiry === 'string' && isTimestamp(expiry) ? { expiresAt: new Date(expiry) } : {}),
  };
}

/** The credentials as the file has them: these keys, in this order; without a value a key is not written. */
export function toStoredCredentials(credentials: CloudCredentials): StoredCredentials {
  const { apiToken, apiUrl, authenticatedAt, userEmail, refreshToken, expiresAt } = credentials;
  return {
    api_token: apiToken,
    api_url: apiUrl,
    authenticated_at: toTimestamp(authenticatedAt) ?? '',
    user_email: userEmail,
    refresh_token: refreshToken,
    expires_at: expiresAt && toTimestamp(expiresAt),
  };
}

/** Whether the text is a URL with a scheme of any kind. */
export function isAbsoluteUrl(text: string): boolean {
  return URL.canParse(text);
}

function toTimestamp(date: Date): string | undefined {
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString();
}

/** HTML's rule for e-mail inputs, with the length limits of SMTP, and `[ip]` as a domain. */
function isEmail(text: string): boolean {
  const at = text.indexOf('@');
  const local = text.slice(0, Math.max(at, 0));
  const domain = text.slice(at + 1);
  if (!/^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}$/.test(local) || domain.length > 255) return false;
  if (domain.startsWith('[') && domain.endsWith(']')) return isAddress(domain.slice(1, -1));
  return domain.split('.').every((label) => /^[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/.test(label));
}

function isAddress(text: string): boolean {
  return isIP(text.replace(/^IPv6:/i, '')) !== 0;
}
