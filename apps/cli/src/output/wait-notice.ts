/** Whom one waits for; found out only when there is something to say. */
export type AwaitedParty = string | (() => string);

/** Says whom a command waits for when there is no answer for a while; once for each. */
export function createWaitNotice({
  tell,
  afterMs = 2000,
}: {
  readonly tell: (whom: string) => void;
  /** How long nobody wonders. @defaultValue 2000 */
  readonly afterMs?: number | undefined;
}): <T>(whom: AwaitedParty, work: () => Promise<T>) => Promise<T> {
  const told = new Set<string>();
  return async (whom, work) => {
    const timer = setTimeout(() => {
      const name = typeof whom === 'string' ? whom : whom();
      if (told.has(name)) return;
      told.add(name);
      tell(name);
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
