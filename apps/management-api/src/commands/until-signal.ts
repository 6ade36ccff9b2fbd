/** When somebody wants this process to end. */
export interface Asked {
  /** Resolves at the first SIGINT or SIGTERM. */
  readonly done: Promise<void>;
  /** Aborted at the same time. */
  readonly signal: AbortSignal;
  /** Aborted at the second. */
  readonly again: AbortSignal;
}

/** Listens for SIGINT and SIGTERM, of which the process does not die any more. */
export function untilSignal(): Asked {
  const asked = new AbortController();
  const again = new AbortController();
  const done = new Promise<void>((resolve) => {
    for (const name of ['SIGINT', 'SIGTERM'] as const) {
      process.on(name, () => {
        const reason = new Error(`Interrupted by ${name}`);
        if (asked.signal.aborted) again.abort(reason);
        asked.abort(reason);
        resolve();
      });
    }
  });
  return { done, signal: asked.signal, again: again.signal };
}
