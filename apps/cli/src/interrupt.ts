/** What Ctrl-C does to a run. */
export interface Interrupt {
  /** Aborted by the first Ctrl-C or SIGTERM, so that a command can clean up. */
  readonly signal: AbortSignal;
  /** Runs work that no Ctrl-C ends before it is done. */
  hold<T>(work: () => Promise<T>): Promise<T>;
}

const exitCode = 130;

/**
 * Listens for Ctrl-C. The first one aborts the signal; the second one ends the process, and so does a wait that has not
 * listened for five seconds: neither may keep the terminal. Only what is held goes on to its end.
 */
export function listenForInterrupt({ write }: { write: (text: string) => void }): Interrupt {
  const controller = new AbortController();
  let held = 0;
  const end = (): void => {
    if (held === 0) process.exit(exitCode);
  };
  const interrupt = (): void => {
    if (held > 0) write('One moment: what comes now exists only once, and is being kept.\n');
    else if (controller.signal.aborted) end();
    if (controller.signal.aborted) return;
    controller.abort();
    setTimeout(end, 5000).unref();
  };
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, interrupt);
  return {
    signal: controller.signal,
    hold: async (work) => {
      held += 1;
      try {
        return await work();
      } finally {
        held -= 1;
      }
    },
  };
}
