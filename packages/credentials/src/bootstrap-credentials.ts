import { type CloudCredentials, isAbsoluteUrl } from './cloud-credentials.ts';
import { CredentialsError } from './credentials-error.ts';
import { loadCredentials } from './credentials-file.ts';
import { decodeTokenExpiry, isTokenExpired, type TokenExpiryOptions } from './token-expiry.ts';

/** Environment variables by name, for instance `process.env`. */
export type CredentialsEnvironment = Readonly<Record<string, string | undefined>>;

/** Where credentials may come from. */
export interface BootstrapCredentialsOptions extends TokenExpiryOptions {
  /** The credential file. */
  readonly path: string;
  /** `SYSTEMPROMPT_API_TOKEN`, and with it `SYSTEMPROMPT_API_URL` and `SYSTEMPROMPT_USER_EMAIL`, win over the file. */
  readonly env: CredentialsEnvironment;
}

/** Credentials that can be used, and where they came from. */
export interface CredentialsBootstrap {
  readonly credentials: CloudCredentials;
  readonly source: 'environment' | 'file';
}

const productionUrl = 'https://api.systemprompt.io';

/**
 * The credentials to work with: those of the environment, else those of the file, else `undefined`. A token of the
 * environment is taken as it is; it need not be a JWT.
 *
 * @throws {CredentialsError} `SP_CREDENTIALS_EXPIRED` (the file's), `SP_CREDENTIALS_CORRUPTED`,
 * `SP_CREDENTIALS_INVALID` (the environment's address)
 * @throws {PrivateFileError} of `@sp/private-file`, when the file cannot be opened safely
 * @example
 * const bootstrap = await bootstrapCredentials({ path: '/site/.systemprompt/credentials.json', env: process.env });
 */
export async function bootstrapCredentials(
  options: BootstrapCredentialsOptions,
): Promise<CredentialsBootstrap | undefined> {
  const { path, env, now = Date.now } = options;
  const fromEnvironment = environmentCredentials(env, now());
  if (fromEnvironment) return { credentials: fromEnvironment, source: 'environment' };
  const credentials = await loadCredentials(path);
  if (!credentials) return undefined;
  if (isTokenExpired(credentials.apiToken, { now })) throw expired(path, credentials.apiToken);
  return { credentials, source: 'file' };
}

function environmentCredentials(env: CredentialsEnvironment, now: number): CloudCredentials | undefined {
  // Trimmed because a line end that came along (`\r` of an env file) would break the request header.
  const read = (name: string): string => env[name]?.trim() ?? '';
  const apiToken = read('SYSTEMPROMPT_API_TOKEN');
  if (apiToken === '') return undefined;
  const apiUrl = read('SYSTEMPROMPT_API_URL') || productionUrl;
  if (!isAbsoluteUrl(apiUrl)) {
    const reason = '`SYSTEMPROMPT_API_URL` is not an absolute URL';
    throw new CredentialsError('SP_CREDENTIALS_INVALID', `Cannot use the environment's credentials: ${reason}`, {
      reason,
    });
  }
  return { apiToken, apiUrl, authenticatedAt: new Date(now), userEmail: read('SYSTEMPROMPT_USER_EMAIL') };
}

function expired(path: string, token: string): CredentialsError {
  const expiredAt = expiryDate(token);
  const since = expiredAt ? ` since ${expiredAt.toISOString()}` : ': its expiry cannot be read';
  return new CredentialsError('SP_CREDENTIALS_EXPIRED', `The token in ${path} is expired${since}`, { path, expiredAt });
}

function expiryDate(token: string): Date | undefined {
  try {
    const date = new Date(decodeTokenExpiry(token) * 1000);
    return Number.isNaN(date.getTime()) ? undefined : date;
  } catch {
    return undefined;
  }
}
