import {
  createLoopback,
  isLoopbackError,
  type LoopbackError,
  type LoopbackListener,
  type LoopbackReply,
} from '@sp/loopback';
import { calculatePKCECodeChallenge, randomPKCECodeVerifier, randomState } from 'openid-client';
import { CredentialsError } from './credentials-error.ts';
import { noToken, readLoginCallback } from './login-callback.ts';
import { type LoginPages, loginPages, type OAuthTemplates } from './login-pages.ts';
import type { AuthorizeUrlRequest, ExchangeCodeRequest, LoginToken, OAuthProvider } from './login-request.ts';
import { assertWebAddress } from './web-address.ts';

/** What happens during a login. */
export type OAuthFlowEvent =
  | { readonly type: 'listening'; readonly redirectUri: string }
  /** Show the address too: the browser may open on another computer, or not at all. */
  | { readonly type: 'authorize-url'; readonly url: string }
  | { readonly type: 'browser-failed'; readonly message: string };

/** How to log in. */
export interface OAuthFlowOptions {
  /** Who shall vouch for the person. */
  readonly provider: OAuthProvider;
  /** Asks the server where to send the browser. */
  getAuthorizeUrl(request: AuthorizeUrlRequest): Promise<string>;
  /** Asks the server to turn the code into a token. */
  exchangeCode(request: ExchangeCodeRequest): Promise<LoginToken>;
  /** Opens the address. When it fails the login goes on: the address is in the events. */
  openBrowser(url: string): Promise<void> | void;
  /** Told of each step. */
  readonly onEvent?: ((event: OAuthFlowEvent) => void) | undefined;
  /**
   * The local port; 0 takes any free one. The predecessor's server only knows 8765.
   *
   * @defaultValue 0
   */
  readonly port?: number | undefined;
  /**
   * Whether the callback may bring the token alone, as the predecessor's server does. (A token in place of a code is taken
   * anyway when it comes with the `state` of this login.) Any web page that the person has open can then log this
   * program in as somebody else while it waits, so only say so of a server that is known to give no codes.
   *
   * @defaultValue false
   */
  readonly acceptDirectToken?: boolean | undefined;
  /**
   * How long the whole login may take.
   *
   * @defaultValue 300_000
   */
  readonly timeoutMs?: number | undefined;
  /** Own pages for the browser tab, in place of the built-in ones. */
  readonly templates?: Partial<OAuthTemplates> | undefined;
  /** Gives up with `SP_LOGIN_ABORTED`. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Logs in with the browser: listens on 127.0.0.1, sends the browser to the provider, waits for it to come back with a
 * code, and has the code exchanged (authorization code with PKCE and state). What `getAuthorizeUrl` and `exchangeCode`
 * throw comes out unchanged.
 *
 * @throws {CredentialsError} the `SP_LOGIN_…` codes
 * @example
 * const { accessToken } = await runOAuthFlow({ provider: 'github', getAuthorizeUrl, exchangeCode, openBrowser: open });
 */
export async function runOAuthFlow(options: OAuthFlowOptions): Promise<LoginToken> {
  const { port = 0, templates = {} } = options;
  const pages = loginPages(templates);
  try {
    // Bound first: once the browser has been sent away, something must be there when it comes back.
    await using listener = await createLoopback({ port, answeredPage: pages.error });
    return await logIn(listener, pages, options);
  } catch (error) {
    throw isLoopbackError(error) ? fromLoopback(error) : error;
  }
}

async function logIn(listener: LoopbackListener, pages: LoginPages, options: OAuthFlowOptions): Promise<LoginToken> {
  const { provider, onEvent, acceptDirectToken = false, timeoutMs = 300_000, signal } = options;
  const redirectUri = listener.url;
  const state = randomState();
  const codeVerifier = randomPKCECodeVerifier();
  const codeChallenge = await calculatePKCECodeChallenge(codeVerifier);
  onEvent?.({ type: 'listening', redirectUri });

  const takeToken = async (query: URLSearchParams): Promise<LoginToken> => {
    const callback = readLoginCallback(query, { state, acceptDirectToken });
    if ('accessToken' in callback) return callback;
    const token = await options.exchangeCode({ code: callback.code, codeVerifier, redirectUri });
    if (token.accessToken === '') throw noToken('the server exchanged the code for an empty one');
    return token;
  };
  const askForUrl = async (): Promise<string> =>
    options.getAuthorizeUrl({ provider, redirectUri, state, codeChallenge, codeChallengeMethod: 'S256' });

  const waiting = listener.wait<LoginToken>((query) => replyTo(takeToken(query), pages), { timeoutMs, signal });
  // The time and the signal count already, so they also end the wait for a server that does not answer.
  const first = await Promise.race([askForUrl(), waiting]);
  if (typeof first !== 'string') return first;
  assertWebAddress(first);
  onEvent?.({ type: 'authorize-url', url: first });
  void tryOpenBrowser(first, options);
  return waiting;
}

async function replyTo(login: Promise<LoginToken>, pages: LoginPages): Promise<LoopbackReply<LoginToken>> {
  try {
    return { done: true, value: await login, page: pages.success };
  } catch (error) {
    const failure = error instanceof Error ? error : new Error(String(error));
    return { done: true, error: failure, page: pages.error };
  }
}

async function tryOpenBrowser(url: string, options: OAuthFlowOptions): Promise<void> {
  try {
    await options.openBrowser(url);
  } catch (error) {
    options.onEvent?.({ type: 'browser-failed', message: error instanceof Error ? error.message : String(error) });
  }
}

function fromLoopback(error: LoopbackError): CredentialsError {
  const { seconds, port } = error;
  switch (error.code) {
    case 'SP_LOOPBACK_PORT_BUSY':
      return new CredentialsError('SP_LOGIN_PORT_BUSY', `Cannot wait for the login: port ${port} is in use`, { port });
    case 'SP_LOOPBACK_TIMEOUT':
      return new CredentialsError('SP_LOGIN_TIMEOUT', `The login was not finished within ${seconds} seconds`, {
        seconds,
      });
    case 'SP_LOOPBACK_ABORTED':
      return new CredentialsError('SP_LOGIN_ABORTED', 'The login was given up: aborted');
    default:
      return new CredentialsError('SP_LOGIN_LISTEN_FAILED', `Cannot wait for the login: port ${port} is refused`, {
        port,
      });
  }
}
