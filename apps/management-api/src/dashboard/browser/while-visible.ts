/**
 * Runs `work` while somebody can see the page: its signal fires when the page is hidden, and it runs anew when the
 * page is shown again. A browser has six connections for one server; those of hidden tabs are better used elsewhere.
 */
export function whileVisible(signal: AbortSignal, work: (signal: AbortSignal) => Promise<void>): void {
  let current: AbortController | undefined;
  const update = (): void => {
    const visible = document.visibilityState === 'visible' && !signal.aborted;
    if (visible === (current !== undefined)) return;
    current?.abort();
    current = visible ? new AbortController() : undefined;
    if (current !== undefined) void work(current.signal);
  };
  document.addEventListener('visibilitychange', update);
  signal.addEventListener('abort', () => {
    document.removeEventListener('visibilitychange', update);
    update();
  });
  update();
}

/** Repeats `look` with pauses in between until the signal fires. */
export async function repeat(
  signal: AbortSignal,
  { pauseMs }: { readonly pauseMs: number },
  look: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  while (!signal.aborted) {
    await look(signal);
    await pause(pauseMs, signal);
  }
}

/** Waits, at most until the signal fires. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, ms);
    function done(): void {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    }
    if (signal.aborted) done();
    else signal.addEventListener('abort', done);
  });
}
