type Listener = (reason: unknown) => void;

const listeners = new WeakMap<AbortSignal, { readonly calls: Set<Listener>; readonly hear: () => void }>();

/**
 * Calls `listener` when the first of the signals fires, at once when one has; returns what takes it away again. A signal
 * has one listener of ours, however many calls it stops: Node warns of a leak where it has more than ten.
 */
export function onAbort(signals: readonly (AbortSignal | undefined)[], listener: Listener): () => void {
  const given = signals.filter((signal) => signal !== undefined);
  for (const signal of given) {
    if (signal.aborted) listener(signal.reason);
    else join(signal).add(listener);
  }
  return () => {
    for (const signal of given) leave(signal, listener);
  };
}

function join(signal: AbortSignal): Set<Listener> {
  const known = listeners.get(signal);
  if (known !== undefined) return known.calls;
  const calls = new Set<Listener>();
  const hear = (): void => {
    for (const call of calls) call(signal.reason);
  };
  listeners.set(signal, { calls, hear });
  signal.addEventListener('abort', hear, { once: true });
  return calls;
}

function leave(signal: AbortSignal, listener: Listener): void {
  const known = listeners.get(signal);
  known?.calls.delete(listener);
  if (known?.calls.size !== 0) return;
  signal.removeEventListener('abort', known.hear);
  listeners.delete(signal);
}
