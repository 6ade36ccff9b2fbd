/** Counts requests of each key in windows of time, of which each begins with the first request in it. */
export interface RequestWindows {
  /** Counts one more; `remaining` is negative when there were too many. */
  add(key: string): { readonly remaining: number; readonly msBeforeNext: number };
  /** Whether one more would not be too many; counts nothing. */
  hasRoom(key: string): boolean;
}

/** Windows of one limit, in memory and without a wait or a timer: every request is counted twice. */
export function createRequestWindows(options: {
  readonly points: number;
  readonly seconds: number;
  /** Milliseconds from any start that never go back. @defaultValue `performance.now` */
  readonly now?: (() => number) | undefined;
}): RequestWindows {
  const { points, seconds, now = () => performance.now() } = options;
  const length = seconds * 1000;
  const windows = new Map<string, { count: number; readonly until: number }>();
  let sweepAt = now() + length;

  const sweep = (moment: number): void => {
    sweepAt = moment + length;
    for (const [key, { until }] of windows) if (until <= moment) windows.delete(key);
  };

  return {
    hasRoom: (key) => {
      const window = windows.get(key);
      const isOpen = window !== undefined && window.until > Math.floor(now());
      return (isOpen ? window.count : 0) < points;
    },
    add: (key) => {
      // Whole ones: with fractions a window is a little longer than it is, and a second more when it is rounded up.
      const moment = Math.floor(now());
      if (moment >= sweepAt) sweep(moment);
      let window = windows.get(key);
      if (window === undefined || window.until <= moment) {
        window = { count: 0, until: moment + length };
        windows.set(key, window);
      }
      window.count += 1;
      return { remaining: points - window.count, msBeforeNext: window.until - moment };
    },
  };
}
