import { longestTimer } from './pause.ts';

/** A signal that fires with any of those given, or when the time is up; `end` takes the timer and the listeners away. */
export interface Deadline {
  readonly signal: AbortSignal;
  /** Milliseconds left. */
  left(): number;
  end(): void;
}

/** `AbortSignal.any` and `.timeout` would stay in memory, and keep a browser's page busy, until the time is up. */
export function createDeadline(timeout: number, signals: readonly (AbortSignal | undefined)[]): Deadline {
  const controller = new AbortController();
  const until = performance.now() + timeout;
  const given = signals.filter((signal) => signal !== undefined);
  const abort = (event: Event): void => controller.abort((event.target as AbortSignal).reason);
  for (const signal of given) {
    if (signal.aborted) controller.abort(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
  }
  const timer = Number.isFinite(timeout)
    ? setTimeout(
        () => controller.abort(new DOMException('The time is up', 'TimeoutError')),
        Math.min(timeout, longestTimer),
      )
    : undefined;
  return {
    signal: controller.signal,
    left: () => until - performance.now(),
    end: () => {
      clearTimeout(timer);
      for (const signal of given) signal.removeEventListener('abort', abort);
    },
  };
}
