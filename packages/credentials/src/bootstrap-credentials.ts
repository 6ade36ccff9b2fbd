import { type CloudCredentials, isAbsoluteUrl } from './cloud-credentials.ts';
import { CredentialsError } from './credentials-error.ts';
import { loadCredentials } from './credentials-file.ts';
import { expiredCredentials, isTokenExpired, type TokenExpiryOptions } from './token-expiry.ts';
import { createTokenSource, type TokenSourceOptions } from './token-source.ts';

/** Environment variables by name, for instance `process.env`. */
export type CredentialsEnvironment = Readonly<Record<string, string | undefined>>;

/** Where credentials may come from. */
export interface BootstrapCredentialsOptions extends TokenExpiryOptions {
  /** The credential file. */
  readonly path: string;
  /**
   * `SYSTEMPROMPT_API_TOKEN`, and with it `SYSTEMPROMPT_API_URL` and `SYSTEMPROMPT_USER_EMAIL`, win over the file. With
   * `FLY_APP_NAME` (a tenant's own container) the file is never read, and the token counts only with the e-mail address.
   */
  readonly env: CredentialsEnvironment;
  /**
   * Renews the file's token when it is about to expire, as in `createTokenSource`.
   *
   * @defaultValue an expired token is refused, also one that could be renewed
   */
  readonly exchange?: TokenSourceOptions['exchange'] | undefined;
  /** Gives up waiting for other processes that renew it. */
  readonly signal?: AbortSignal | undefined;
}

/** Credentials that can be used, and where they came from. */
export interface BootstrappedCredentials {
  /** Who is logged in. */
  readonly credentials: CloudCredentials;
  /** Where that was found. */
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
): Promise<BootstrappedCredentials | undefined> {
  const { path, env, exchange, signal, now = Date.now } = options;
  const fromEnvironment = environmentCredentials(env, now());
  if (fromEnvironment) return { credentials: fromEnvironment, source: 'environment' };
  if (isContainer(env)) return undefined;
  let credentials = await loadCredentials(path);
  if (credentials?.refreshToken !== undefined && exchange !== undefined) {
    const apiToken = await createTokenSource({ path, exchange, now, signal })();
    credentials = { ...((await loadCredentials(path)) ?? credentials), apiToken };
    return { credentials, source: 'file' };
  }
  if (!credentials) return undefined;
  if (isTokenExpired(credentials.apiToken, { now })) throw expiredCredentials(path, credentials);
  return { credentials, source: 'file' };
}

/** Whether this is a tenant's own container: its file system is not the person's project. */
export function isContainer(env: CredentialsEnvironment): boolean {
  return env['FLY_APP_NAME'] !== undefined;
}

function environmentCredentials(env: CredentialsEnvironment, now: number): CloudCredentials | undefined {
  // Trimmed because a line end that came along (`\r` of an env file) would break the request header.
  const read = (name: string): string => env[name]?.trim() ?? '';
  const apiToken = read('SYSTEMPROMPT_API_TOKEN');
  const userEmail = read('SYSTEMPROMPT_USER_EMAIL');
  if (apiToken === '' || (isContainer(env) && userEmail === '')) return undefined;
  const apiUrl = read('SYSTEMPROMPT_API_URL') || productionUrl;
  if (!isAbsoluteUrl(apiUrl)) {
    const reason = '`SYSTEMPROMPT_API_URL` is not an absolute URL';
    throw new CredentialsError('SP_CREDENTIALS_INVALID', `Cannot use the environment's credentials: ${reason}`, {
      reason,
    });
  }
  return { apiToken, apiUrl, authenticatedAt: new Date(now), userEmail };
}
