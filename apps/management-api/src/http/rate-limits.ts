import {
  type RateLimiterAbstract,
  RateLimiterMemory,
  RateLimiterPostgres,
  type RateLimiterRes,
} from 'rate-limiter-flexible';
import type { Store } from '../store/database.ts';
import { ApiFailure } from './errors.ts';
import { createRequestWindows } from './request-windows.ts';

/** So many requests in so many seconds. */
export interface RateLimit {
  readonly points: number;
  readonly seconds: number;
}

/** The limits of an installation. */
export interface RateLimits {
  /** Requests from one address, in each replica. */
  readonly address: RateLimit;
  /** Requests of one user, in each replica. */
  readonly user: RateLimit;
  /** Logins begun from one address. */
  readonly login: RateLimit;
  /** Device logins begun from one address. */
  readonly device: RateLimit;
  /** Codes and tokens brought from one address, polls of device logins among them. */
  readonly token: RateLimit;
  /** Device codes typed at one address. */
  readonly deviceCode: RateLimit;
  /** One-time links that one user tries. */
  readonly credentials: RateLimit;
  /** Checkouts that one user opens. */
  readonly checkout: RateLimit;
}

/** What holds when nothing else is said. */
export const defaultRateLimits: RateLimits = {
  address: { points: 1200, seconds: 60 },
  user: { points: 600, seconds: 60 },
  login: { points: 30, seconds: 60 },
  device: { points: 20, seconds: 600 },
  token: { points: 120, seconds: 60 },
  deviceCode: { points: 20, seconds: 600 },
  credentials: { points: 10, seconds: 60 },
  checkout: { points: 30, seconds: 600 },
};

/** Counts requests, and says when there were too many. */
export interface RateLimiter {
  /**
   * Counts one request; the headers tell a client how many more it may send.
   * @throws {ApiFailure} 429 rate_limited
   */
  consume(limit: keyof RateLimits, key: string): Promise<Readonly<Record<string, string>>>;
  /**
   * The same at once, for what each replica counts by itself.
   * @throws {ApiFailure} 429 rate_limited
   */
  count(limit: OwnLimit, key: string): Readonly<Record<string, string>>;
  /**
   * The same, for an answer that tells of another limit.
   * @throws {ApiFailure} 429 rate_limited
   */
  pass(limit: OwnLimit, key: string): void;
  /** Whether one more request would be let through; counts nothing. */
  hasRoom(limit: OwnLimit, key: string): boolean;
}

/** Ordinary requests, of which there are many: everything else is counted where all replicas see it. */
type OwnLimit = 'address' | 'user';

/** A limiter with the limits given over the defaults; `false`: one that never refuses. */
export function createRateLimiter(
  { store }: { readonly store: Store },
  limits: Partial<RateLimits> | false,
): RateLimiter {
  if (limits === false) {
    return { consume: () => Promise.resolve({}), count: () => ({}), pass: () => {}, hasRoom: () => true };
  }
  const { address, user, ...shared } = { ...defaultRateLimits, ...limits };
  const windows = { address: createRequestWindows(address), user: createRequestWindows(user) };
  const limiters = new Map<string, RateLimiterAbstract>(
    Object.entries(shared).map(([name, { points, seconds }]: [string, RateLimit]) => [
      name,
      new RateLimiterPostgres({
        storeClient: store.pool,
        storeType: 'pool',
        tableName: 'rate_limits',
        tableCreated: true,
        keyPrefix: name,
        points,
        duration: seconds,
        // Who is over the limit costs no more queries, and a database that does not answer is no free pass.
        inMemoryBlockOnConsumed: points,
        insuranceLimiter: new RateLimiterMemory({ keyPrefix: name, points, duration: seconds }),
      }),
    ]),
  );
  const all: RateLimits = { address, user, ...shared };

  const policies = Object.fromEntries(
    Object.entries(all).map(([name, { points, seconds }]: [string, RateLimit]) => [
      name,
      `"${name}";q=${points};w=${seconds}`,
    ]),
  ) as Record<keyof RateLimits, string>;
  const describe = (name: keyof RateLimits, remaining: number, msBeforeNext: number): Record<string, string> => ({
    'ratelimit-policy': policies[name],
    ratelimit: `"${name}";r=${remaining};t=${Math.ceil(msBeforeNext / 1000)}`,
  });
  const refusal = (name: keyof RateLimits, msBeforeNext: number): ApiFailure => {
    const { points, seconds } = all[name];
    const wait = Math.max(1, Math.ceil(msBeforeNext / 1000));
    return new ApiFailure(`There were more than ${points} requests in ${seconds} seconds (limit "${name}").`, {
      status: 429,
      code: 'rate_limited',
      headers: { ...describe(name, 0, msBeforeNext), 'retry-after': String(wait) },
    });
  };
  const count = (name: OwnLimit, key: string): Record<string, string> => {
    const { remaining, msBeforeNext } = windows[name].add(key);
    if (remaining < 0) throw refusal(name, msBeforeNext);
    return describe(name, remaining, msBeforeNext);
  };

  return {
    count,
    hasRoom: (name, key) => windows[name].hasRoom(key),
    pass: (name, key) => {
      const { remaining, msBeforeNext } = windows[name].add(key);
      if (remaining < 0) throw refusal(name, msBeforeNext);
    },
    consume: async (name, key) => {
      if (name === 'address' || name === 'user') return count(name, key);
      try {
        const { remainingPoints = 0, msBeforeNext = 0 } = (await limiters.get(name)?.consume(key)) ?? {};
        return describe(name, remainingPoints, msBeforeNext);
      } catch (error) {
        if (error instanceof Error) throw error;
        throw refusal(name, (error as RateLimiterRes).msBeforeNext);
      }
    },
  };
}
