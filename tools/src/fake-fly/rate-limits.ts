import { FlyFailure } from './failure.ts';

interface Bucket {
  tokens: number;
  at: number;
}

/** What one action may be done of for one app or machine. */
const limits: Readonly<Record<string, { readonly perSecond: number; readonly burst: number }>> = {
  'machine-get': { perSecond: 5, burst: 10 },
  // Of the whole organization.
  'app-delete': { perSecond: 100 / 60, burst: 100 },
};
const usual = { perSecond: 1, burst: 3 };

/** Fly's rate limits: one request a second of each action for each app or machine, with a burst of three. */
export function createRateLimits(options: {
  readonly now: () => number;
  readonly retryAfter: boolean;
  /** How many times the usual is allowed. */
  readonly factor: number;
}) {
  const buckets = new Map<string, Bucket>();
  return {
    /** @throws {FlyFailure} 429 */
    take(action: string, identifier: string): void {
      const { perSecond: usually, burst } = limits[action] ?? usual;
      const perSecond = usually * options.factor;
      const key = `${action} ${identifier}`;
      const now = options.now();
      const bucket = buckets.get(key) ?? { tokens: burst, at: now };
      buckets.set(key, bucket);
      bucket.tokens = Math.min(burst, bucket.tokens + ((now - bucket.at) / 1000) * perSecond);
      bucket.at = now;
      if (bucket.tokens >= 1) {
        bucket.tokens -= 1;
        return;
      }
      const seconds = Math.ceil((1 - bucket.tokens) / perSecond);
      const headers = options.retryAfter ? { 'retry-after': String(seconds) } : {};
      throw new FlyFailure(429, 'rate limit exceeded', { headers });
    },
  };
}
