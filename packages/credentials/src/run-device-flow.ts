import { setTimeout as delay } from 'node:timers/promises';
import { CredentialsError } from './credentials-error.ts';
import { noToken, plainText } from './login-callback.ts';
import type { LoginToken } from './login-request.ts';
import { assertWebAddress } from './web-address.ts';

/** A device login that has begun (RFC 8628 §3.2). */
export interface DeviceAuthorization {
  /** What is polled with. A secret. */
  readonly deviceCode: string;
  /** What the person types. */
  readonly userCode: string;
  /** The page where it is typed. */
  readonly verificationUri: string;
  /** The same page with the code filled in. */
  readonly verificationUriComplete?: string | undefined;
  /** Seconds until the codes expire. */
  readonly expiresIn: number;
  /**
   * The least number of seconds between two polls.
   *
   * @defaultValue 5
   */
  readonly interval?: number | undefined;
}

/**
 * What the server says to one poll: the token, OAuth's own word for why there is none, or `unavailable` when it could
 * not be asked and may be asked again.
 */
export type DevicePollResult =
  | LoginToken
  | 'authorization_pending'
  | 'slow_down'
  | 'access_denied'
  | 'expired_token'
  | 'unavailable';

/** What to show the person. */
export type DevicePrompt = Pick<
  DeviceAuthorization,
  'userCode' | 'verificationUri' | 'verificationUriComplete' | 'expiresIn'
>;

/** How to log in on a computer without a browser. */
export interface DeviceFlowOptions {
  /** Asks the server for the codes. */
  start(options: { readonly signal?: AbortSignal | undefined }): Promise<DeviceAuthorization>;
  /** Asks the server how it went. What it throws comes out unchanged. */
  poll(request: { readonly deviceCode: string; readonly signal?: AbortSignal | undefined }): Promise<DevicePollResult>;
  /** Shows the person where to go and what to type. */
  onCode(prompt: DevicePrompt): void | Promise<void>;
  /**
   * Waits between two polls; rejects when the signal is aborted.
   *
   * @defaultValue a timer
   */
  readonly wait?: ((milliseconds: number, signal: AbortSignal | undefined) => Promise<void>) | undefined;
  /**
   * The current time in milliseconds since 1970.
   *
   * @defaultValue `Date.now`
   */
  readonly now?: (() => number) | undefined;
  /** Gives up with `SP_LOGIN_ABORTED`. */
  readonly signal?: AbortSignal | undefined;
}

/** Polls a little slower than allowed, because the clocks of virtual machines run fast. */
const clockFactor = 1.2;
const slowDownSeconds = 5;
const longestWaitSeconds = 60;

/** The most that a timer can wait. */
const longestTimerMs = 2_147_483_647;

/**
 * Logs in with a browser on any other computer (RFC 8628): shows a code, and polls until the person has allowed or
 * denied the login.
 *
 * @throws {CredentialsError} `SP_LOGIN_DENIED`, `SP_LOGIN_TIMEOUT` (with `slowDowns`), `SP_LOGIN_ABORTED`,
 * `SP_LOGIN_NO_TOKEN`, `SP_LOGIN_BAD_AUTHORIZE_URL`
 * @example
 * const { accessToken } = await runDeviceFlow({ start, poll, onCode: ({ userCode }) => console.error(userCode) });
 */
export async function runDeviceFlow(options: DeviceFlowOptions): Promise<LoginToken> {
  const { wait = waitByTimer, now = Date.now, signal } = options;
  if (signal?.aborted) throw aborted();
  const started = await options.start({ signal });
  const deadline = now() + started.expiresIn * 1000;
  await options.onCode(promptOf(started));

  let interval = Math.max(started.interval ?? 5, 1);
  let slowDowns = 0;
  while (now() < deadline) {
    try {
      await wait(interval * clockFactor * 1000, signal);
    } catch (error) {
      throw signal?.aborted ? aborted() : error;
    }
    if (signal?.aborted) throw aborted();
    const result = await options.poll({ deviceCode: started.deviceCode, signal });
    if (typeof result !== 'string') {
      if (result.accessToken === '') throw noToken('the server allowed the login with an empty one');
      return result;
    }
    if (result === 'access_denied') throw denied();
    if (result === 'expired_token') break;
    if (result === 'slow_down') {
      slowDowns += 1;
      interval += slowDownSeconds;
    }
    // RFC 8628 §3.5: who is not answered asks less often.
    if (result === 'unavailable') interval = Math.min(interval * 2, longestWaitSeconds);
  }
  throw new CredentialsError('SP_LOGIN_TIMEOUT', `Nobody allowed the login within ${started.expiresIn} seconds`, {
    seconds: started.expiresIn,
    slowDowns,
  });
}

/** The texts come from a server and end in a terminal, and the address in a browser. */
function promptOf(started: DeviceAuthorization): DevicePrompt {
  const { verificationUri, verificationUriComplete, expiresIn } = started;
  assertWebAddress(verificationUri);
  if (verificationUriComplete !== undefined) assertWebAddress(verificationUriComplete);
  return { userCode: plainText(started.userCode), verificationUri, verificationUriComplete, expiresIn };
}

async function waitByTimer(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  // More would fire at once, and the server be asked without a pause.
  await delay(Math.min(milliseconds, longestTimerMs), undefined, signal ? { signal } : {});
}

function denied(): CredentialsError {
  const description = 'the login was denied in the browser';
  return new CredentialsError('SP_LOGIN_DENIED', `Login denied: access_denied - ${description}`, {
    error: 'access_denied',
    description,
  });
}

function aborted(): CredentialsError {
  return new CredentialsError('SP_LOGIN_ABORTED', 'The login was given up: aborted');
}
