import { updatePrivateFile } from '@sp/private-file';
import type { CloudCredentials } from './cloud-credentials.ts';
import { CredentialsError } from './credentials-error.ts';
import { formatCredentials, loadCredentials, readCredentials } from './credentials-file.ts';
import type { LoginToken } from './login-request.ts';
import { expiredCredentials, tokenExpiry } from './token-expiry.ts';

/** Where the token is, and how to renew it. */
export interface TokenSourceOptions {
  /** The credential file. */
  readonly path: string;
  /**
   * Asks the server for the next tokens; `undefined` when it refuses the refresh token for good. What it throws comes
   * out unchanged, unless the old token is still good.
   */
  exchange(request: RefreshRequest): Promise<LoginToken | undefined>;
  /**
   * How long before its expiry a token is renewed, in seconds.
   *
   * @defaultValue 60
   */
  readonly earlySeconds?: number | undefined;
  /**
   * The current time in milliseconds since 1970.
   *
   * @defaultValue `Date.now`
   */
  readonly now?: (() => number) | undefined;
  /** Gives up waiting for other processes. */
  readonly signal?: AbortSignal | undefined;
}

/** What the server needs to renew a login. */
export interface RefreshRequest {
  /** A secret. It works once, so nobody else may send it. */
  readonly refreshToken: string;
  /** The Management API that the login belongs to. */
  readonly apiUrl: string;
  /** Gives up. */
  readonly signal?: AbortSignal | undefined;
}

/** Gives a token that is good for the next request. */
export type TokenSource = () => Promise<string>;

/** Longer than a request may take: whoever has the lock may be waiting for the server. */
const lockTimeoutMs = 60_000;

/**
 * The token of the credential file, renewed before it expires: once, however many calls and processes want it at the
 * same time. The file is read for each call, so that a login or a renewal next door counts at once. A login without a
 * refresh token lasts until its token expires.
 *
 * @throws {CredentialsError} (from the source) `SP_TOKEN_NOT_LOGGED_IN`, `SP_CREDENTIALS_EXPIRED`,
 * `SP_CREDENTIALS_CORRUPTED`
 * @throws {PrivateFileError} (from the source) of `@sp/private-file`
 * @example
 * const token = createTokenSource({ path, exchange: ({ refreshToken }) => askServer(refreshToken) });
 * const api = createCloudApiClient({ token });
 */
export function createTokenSource(options: TokenSourceOptions): TokenSource {
  const { path, earlySeconds = 60, now = Date.now } = options;
  let renewing: Promise<string> | undefined;

  const isGoodFor = (credentials: CloudCredentials, seconds: number): boolean => {
    const expiry = tokenExpiry(credentials);
    return expiry !== undefined && expiry >= Math.floor(now() / 1000) + seconds;
  };

  async function renew(): Promise<string> {
    let token = '';
    let refused: CredentialsError | undefined;
    const update = async (text: string | undefined): Promise<string | undefined> => {
      if (text === undefined) throw notLoggedIn(path);
      const credentials = readCredentials(path, text);
      const { apiToken, apiUrl, refreshToken } = credentials;
      token = apiToken;
      // Another process was faster.
      if (isGoodFor(credentials, earlySeconds)) return undefined;
      if (refreshToken === undefined) throw expiredCredentials(path, credentials);
      const next = await exchangeOrKeep(credentials, { refreshToken, apiUrl, signal: options.signal });
      if (next === 'keep') return undefined;
      if (next === undefined) {
        if (!isGoodFor(credentials, 0)) refused = expiredCredentials(path, credentials);
        // Forgotten, or every call would send it again.
        return formatCredentials(path, { before: text, credentials: { ...credentials, refreshToken: undefined } });
      }
      token = next.accessToken;
      return formatCredentials(path, { before: text, credentials: renewed(credentials, { next, now: now() }) });
    };
    await updatePrivateFile(path, update, { lockTimeoutMs, signal: options.signal });
    if (refused !== undefined) throw refused;
    return token;
  }

  /** While the token is good, a server that cannot be reached is no reason to fail. */
  async function exchangeOrKeep(
    credentials: CloudCredentials,
    request: RefreshRequest,
  ): Promise<LoginToken | 'keep' | undefined> {
    try {
      return await options.exchange(request);
    } catch (error) {
      if (isGoodFor(credentials, 0)) return 'keep';
      throw error;
    }
  }

  return async () => {
    const credentials = await loadCredentials(path);
    if (credentials === undefined) throw notLoggedIn(path);
    if (isGoodFor(credentials, earlySeconds)) return credentials.apiToken;
    if (credentials.refreshToken === undefined) {
      if (isGoodFor(credentials, 0)) return credentials.apiToken;
      throw expiredCredentials(path, credentials);
    }
    renewing ??= renew().finally(() => {
      renewing = undefined;
    });
    return renewing;
  };
}

function renewed(
  credentials: CloudCredentials,
  { next, now }: { readonly next: LoginToken; readonly now: number },
): CloudCredentials {
  const { accessToken, refreshToken = credentials.refreshToken, expiresIn } = next;
  const expiresAt = expiresIn === undefined ? undefined : new Date(now + expiresIn * 1000);
  return { ...credentials, apiToken: accessToken, refreshToken, expiresAt };
}

function notLoggedIn(path: string): CredentialsError {
  return new CredentialsError('SP_TOKEN_NOT_LOGGED_IN', `Nobody is logged in: there is no ${path}`, { path });
}
