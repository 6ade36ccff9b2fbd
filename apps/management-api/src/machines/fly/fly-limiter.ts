import { setTimeout as delay } from 'node:timers/promises';

/** What Fly.io allows of one action for one app or machine. */
const limits: Readonly<Record<string, { readonly perSecond: number; readonly burst: number }>> = {
  'machine-get': { perSecond: 5, burst: 10 },
  'app-delete': { perSecond: 100 / 60, burst: 100 },
};
const usual = { perSecond: 1, burst: 3 };
/** Slower than allowed: it counts when a request arrives, and the first of several may take longer than the last. */
const margin = 1.2;
const pruneAbove = 10_000;

/** Holds requests back so that Fly.io's rate limits are not met. */
export interface FlyLimiter {
  /** Waits until the action may be done once more. */
  take(action: string, options: { readonly identifier: string; readonly signal: AbortSignal }): Promise<void>;
}

/** `factor`: how many times Fly.io's usual limits are allowed. */
export function createFlyLimiter(options: { readonly factor: number }): FlyLimiter {
  // For each action and identifier: when everything that was let through so far would be spent at the steady rate.
  const spent = new Map<string, number>();
  return {
    async take(action, { identifier, signal }) {
      const { perSecond, burst } = limits[action] ?? usual;
      const interval = (1000 / (perSecond * options.factor)) * margin;
      const now = performance.now();
      if (spent.size > pruneAbove) for (const [key, at] of spent) if (at < now) spent.delete(key);
      const key = `${action} ${identifier}`;
      const until = Math.max(spent.get(key) ?? 0, now);
      // Taken before the wait, so that those who come meanwhile stand behind.
      spent.set(key, until + interval);
      const wait = until - (burst - 1) * interval - now;
      if (wait > 0) await delay(wait, undefined, { signal });
    },
  };
}
