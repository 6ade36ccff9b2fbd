import { onAbort } from './on-abort.ts';
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
  const forget = onAbort(signals, (reason) => controller.abort(reason));
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
      forget();
    },
  };
}
