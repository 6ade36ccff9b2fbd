/** Answers after which the same request may succeed soon. */
const retriedStatuses: ReadonlySet<number> = new Set([429, 502, 503, 504]);

const firstDelay = 300;
const longestDelay = 5_000;

/** Whether an answer invites the client to come again. */
export function invitesRetry(response: Response): boolean {
  // 409 with a time: the first request with the same key is still running.
  return retriedStatuses.has(response.status) || (response.status === 409 && response.headers.has('retry-after'));
}

/**
 * Milliseconds to wait before attempt number `attempt` + 1: what the answer asks for (seconds or a date), else twice as
 * long as before, up to five seconds, less a random part, so that many clients do not come back at once.
 */
export function retryDelay(attempt: number, retryAfter: string | null | undefined): number {
  const asked = retryAfter === null || retryAfter === undefined ? undefined : parseRetryAfter(retryAfter);
  if (asked !== undefined) return asked;
  const delay = Math.min(firstDelay * 2 ** (attempt - 1), longestDelay);
  return delay * (0.5 + Math.random() / 2);
}

/** The value of `Retry-After` in milliseconds from now. */
function parseRetryAfter(value: string): number | undefined {
  if (/^\s*\d{1,9}\s*$/.test(value)) return Number(value) * 1_000;
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, date - Date.now());
}

/** Waits; rejects with the signal's reason as soon as it is aborted. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const abort = (): void => {
      clearTimeout(timer);
      reject(signal.reason as Error);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', abort);
      resolve();
    }, ms);
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
  });
}
