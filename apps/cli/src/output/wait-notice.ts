/** Says whom a command waits for when there is no answer for a while; once for each. */
export function createWaitNotice({
  tell,
  afterMs = 2000,
}: {
  readonly tell: (whom: string) => void;
  /** How long nobody wonders. @defaultValue 2000 */
  readonly afterMs?: number | undefined;
}): <T>(whom: string, work: () => Promise<T>) => Promise<T> {
  const told = new Set<string>();
  return async (whom, work) => {
    if (told.has(whom)) return await work();
    const timer = setTimeout(() => {
      told.add(whom);
      tell(whom);
    }, afterMs);
    // It must not keep a command alive that has nothing left to do.
    timer.unref();
    try {
      return await work();
    } finally {
      clearTimeout(timer);
    }
  };
}
