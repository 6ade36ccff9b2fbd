import {
  type RateLimiterAbstract,
  RateLimiterMemory,
  RateLimiterPostgres,
  type RateLimiterRes,
} from 'rate-limiter-flexible';
import type { Store } from '../store/database.ts';
import { ApiFailure } from './errors.ts';

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
}

/** Everything but ordinary requests is counted where all replicas see it. */
const inMemory: ReadonlySet<string> = new Set(['address', 'user'] satisfies (keyof RateLimits)[]);

/** A limiter with the limits given over the defaults; `false`: one that never refuses. */
export function createRateLimiter(
  { store }: { readonly store: Store },
  limits: Partial<RateLimits> | false,
): RateLimiter {
  if (limits === false) return { consume: () => Promise.resolve({}) };
  const all = { ...defaultRateLimits, ...limits };
  const limiters = new Map<string, RateLimiterAbstract>(
    Object.entries(all).map(([name, { points, seconds }]: [string, RateLimit]) => {
      const memory = new RateLimiterMemory({ keyPrefix: name, points, duration: seconds });
      if (inMemory.has(name)) return [name, memory];
      const shared = new RateLimiterPostgres({
        storeClient: store.pool,
        storeType: 'pool',
        tableName: 'rate_limits',
        tableCreated: true,
        keyPrefix: name,
        points,
        duration: seconds,
        // Who is over the limit costs no more queries, and a database that does not answer is no free pass.
        inMemoryBlockOnConsumed: points,
        insuranceLimiter: memory,
      });
      return [name, shared];
    }),
  );

  return {
    consume: async (name, key) => {
      const { points, seconds } = all[name];
      const limiter = limiters.get(name);
      const policy = `"${name}";q=${points};w=${seconds}`;
      const describe = ({ remainingPoints, msBeforeNext }: RateLimiterRes): Record<string, string> => ({
        'ratelimit-policy': policy,
        ratelimit: `"${name}";r=${remainingPoints};t=${Math.ceil(msBeforeNext / 1000)}`,
      });
      try {
        return limiter === undefined ? {} : describe(await limiter.consume(key));
      } catch (error) {
        if (error instanceof Error) throw error;
        const result = error as RateLimiterRes;
        const wait = Math.max(1, Math.ceil(result.msBeforeNext / 1000));
        throw new ApiFailure(`There were more than ${points} requests in ${seconds} seconds (limit "${name}").`, {
          status: 429,
          code: 'rate_limited',
          headers: { ...describe(result), 'retry-after': String(wait) },
        });
      }
    },
  };
}
