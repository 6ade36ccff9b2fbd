import {
  AuthorizationResponseError,
  ClientError,
  ResponseBodyError,
  WWWAuthenticateChallengeError,
} from 'openid-client';
import { IdentityError, isIdentityError } from './identity-error.ts';
import { IdentityRefused, isIdentityRefused } from './identity-refused.ts';

/** Refusals that are about us and not about the person. */
const clientErrors: ReadonlySet<string> = new Set([
  'invalid_client',
  'unauthorized_client',
  'invalid_request',
  'unsupported_grant_type',
  'invalid_scope',
  // GitHub's own.
  'incorrect_client_credentials',
  'redirect_uri_mismatch',
]);

/** What openid-client says when there was no answer that it could read. */
const silences: ReadonlySet<string> = new Set([
  'OAUTH_TIMEOUT',
  'OAUTH_ABORT',
  'OAUTH_RESPONSE_IS_NOT_CONFORM',
  'OAUTH_RESPONSE_IS_NOT_JSON',
  'OAUTH_PARSE_ERROR',
]);

/**
 * Asks an identity provider. Errors of the library carry the provider's whole answer, and with it tokens: none gets out.
 * @throws {IdentityRefused}
 * @throws {IdentityError}
 */
export async function askProvider<T>(
  provider: string,
  work: () => Promise<T>,
  options: { readonly signal?: AbortSignal | undefined } = {},
): Promise<T> {
  const { signal } = options;
  signal?.throwIfAborted();
  try {
    return await abortable(work(), signal);
  } catch (error) {
    signal?.throwIfAborted();
    throw translate(provider, error);
  }
}

function translate(provider: string, error: unknown): Error {
  if (isIdentityRefused(error) || isIdentityError(error)) return error;
  const unavailable = (reason: string) => new IdentityError('SP_IDENTITY_UNAVAILABLE', { provider, reason });
  if (error instanceof AuthorizationResponseError) {
    if (error.error === 'access_denied') return new IdentityRefused(`The login was cancelled at ${provider}.`);
    if (error.error === 'server_error' || error.error === 'temporarily_unavailable') return unavailable(error.error);
    return new IdentityRefused(`${provider} did not confirm the login.`);
  }
  if (error instanceof ResponseBodyError) {
    if (error.status >= 500) return unavailable(`it answered ${error.status}`);
    if (clientErrors.has(error.error)) {
      return new IdentityError('SP_IDENTITY_CLIENT', { provider, reason: `it refuses this service (${error.error})` });
    }
    return new IdentityRefused(`${provider} does not accept the login: it took too long, or was used already.`);
  }
  if (error instanceof WWWAuthenticateChallengeError) {
    return new IdentityError('SP_IDENTITY_CLIENT', { provider, reason: `it answered ${error.status}` });
  }
  if (error instanceof ClientError) {
    return error.code !== undefined && silences.has(error.code)
      ? unavailable('it did not answer as it should')
      : new IdentityRefused(`What ${provider} answered could not be verified.`);
  }
  if (error instanceof Error && error.name === 'TimeoutError') return unavailable('it did not answer in time');
  if (error instanceof TypeError) return unavailable(systemReason(error));
  return new IdentityError('SP_IDENTITY_RESPONSE', { provider, reason: 'the answer is not what was expected' });
}

// A person who went away is not waited for; the request itself ends with its own time-out.
async function abortable<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return await work;
  const done = new AbortController();
  const aborted = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(new Error('aborted')), { signal: done.signal });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    done.abort();
    // Whatever comes of it now, somebody has looked at it.
    work.catch(() => {});
  }
}

function systemReason(error: TypeError): string {
  const { cause } = error;
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  return typeof code === 'string' ? `no connection (${code})` : 'no connection';
}
