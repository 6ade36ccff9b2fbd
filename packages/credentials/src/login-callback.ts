import { createHash, timingSafeEqual } from 'node:crypto';
import { CredentialsError } from './credentials-error.ts';

/** What a callback brings: a code to exchange, or (from the predecessor's server) the token itself. */
export type LoginCallback = { readonly code: string } | { readonly accessToken: string };

/** Takes the callback's query apart. `state` is the one that was sent. */
export function readLoginCallback(
  query: URLSearchParams,
  { state, acceptDirectToken }: { readonly state: string; readonly acceptDirectToken: boolean },
): LoginCallback {
  const error = query.get('error');
  if (error !== null) throw denied(error, query.get('error_description'));
  const returned = query.get('state');
  const code = query.get('code');
  // The predecessor's server knows no state and sends the token alone; a code without our state is somebody else's.
  const stateRequired = code !== null || returned !== null;
  if (stateRequired && !isSame(returned ?? '', state)) {
    const reason = returned === null ? '`state` is missing' : '`state` is not the one that was sent';
    throw new CredentialsError('SP_LOGIN_STATE_MISMATCH', `Refused the login's callback: ${reason}`, { reason });
  }
  if (code !== null && code !== '') return { code };
  const accessToken = query.get('access_token');
  if (code !== null || accessToken === null || accessToken === '') {
    throw noToken('the callback has neither a code nor a token');
  }
  // Without our state it carries nothing that only the server could know: any page in the browser can send one, of an
  // account of its own.
  if (returned === null && !acceptDirectToken) throw noToken('the callback has a token without a state');
  return { accessToken };
}

/** The login came to an end without a token. */
export function noToken(reason: string): CredentialsError {
  return new CredentialsError('SP_LOGIN_NO_TOKEN', `The login gave no token: ${reason}`, { reason });
}

function denied(rawError: string, rawDescription: string | null): CredentialsError {
  const error = plainText(rawError);
  const description = plainText(rawDescription ?? '') || '(no description provided)';
  return new CredentialsError('SP_LOGIN_DENIED', `Login denied: ${error} - ${description}`, { error, description });
}

/** The query comes from a browser and ends in a terminal: no control characters (escape sequences), no novels. */
export function plainText(text: string): string {
  return text
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ')
    .trim()
    .slice(0, 300);
}

/** Compares digests, so that the time says neither where texts differ nor how long ours is. */
function isSame(one: string, other: string): boolean {
  const digest = (text: string): Uint8Array => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(one), digest(other));
}
