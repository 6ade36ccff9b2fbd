import { setTimeout as delay } from 'node:timers/promises';
import { Refusal } from './answers.ts';

/** Something that goes wrong with a request. */
export type Fault =
  /** Nothing: this request goes well. */
  | 'none'
  /** Paddle fails before it has done anything. */
  | 'error'
  /** Paddle does what was asked for, and its answer is lost. */
  | 'lost-answer'
  /** Something in front of Paddle answers. */
  | 'html'
  /** There is no answer for a long time. */
  | 'silence'
  /** The limit of requests is reached. */
  | 'busy';

/** Faults to come, and the limit of requests. */
export interface Faults {
  /** The next requests go wrong, one for each. */
  next(...faults: readonly Fault[]): void;
  /** Lets a request through to `work`, or not. */
  around(work: () => Promise<Response>): Promise<Response>;
}

/** Faults with a limit of requests in a window, as Paddle has one of 240 a minute. */
export function createFaults(options: {
  readonly limit: number;
  readonly windowMs: number;
  readonly retryAfterSeconds: number;
  readonly silenceMs: number;
}): Faults {
  const { limit, windowMs, retryAfterSeconds, silenceMs } = options;
  const planned: Fault[] = [];
  const recent: number[] = [];

  function refuseMany(): void {
    const now = Date.now();
    while (recent[0] !== undefined && recent[0] <= now - windowMs) recent.shift();
    if (recent.length >= limit) throw tooMany(retryAfterSeconds);
    recent.push(now);
  }

  return {
    next: (...faults) => void planned.push(...faults),
    around: async (work) => {
      const fault = planned.shift();
      if (fault === 'busy') throw tooMany(retryAfterSeconds);
      refuseMany();
      switch (fault) {
        case 'error':
          throw new Refusal(500, 'internal_error', { detail: 'Something went wrong.' });
        case 'lost-answer':
          await work();
          throw new Refusal(503, 'service_unavailable', { detail: 'Something went wrong.' });
        case 'html':
          return new Response('<h1>502 Bad Gateway</h1>', { status: 502, headers: { 'content-type': 'text/html' } });
        case 'silence':
          await delay(silenceMs);
          return await work();
        default:
          return await work();
      }
    },
  };
}

function tooMany(seconds: number): Refusal {
  return new Refusal(429, 'too_many_requests', {
    detail: 'Too many requests.',
    headers: { 'retry-after': String(seconds) },
  });
}
