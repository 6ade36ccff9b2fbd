/** What a token server gave. */
export interface Token {
  /** The `Authorization` header. */
  readonly header: string;
  /** When it is no longer used, in milliseconds since the epoch. */
  readonly expiresAt: number;
}

/** Tokens by scope. Requests that need the same one at the same time wait for one asking. */
export interface TokenCache {
  /** The header of the scope's token; `ask` gets a new one when there is none, or it is over. */
  header(scope: string, ask: (signal: AbortSignal) => Promise<Token>, signal?: AbortSignal): Promise<string>;
  /** Forgets a token that was refused. One that another request has got since, or is getting, stays. */
  refuse(scope: string, used: string | undefined): void;
  clear(): void;
}

interface Slot {
  readonly asked: Promise<Token>;
  /** Ends the asking. */
  readonly stop: AbortController;
  token: Token | undefined;
  waiting: number;
}

export function createTokenCache(): TokenCache {
  const slots = new Map<string, Slot>();
  const forget = (scope: string, slot: Slot): void => {
    if (slots.get(scope) === slot) slots.delete(scope);
  };

  const start = (scope: string, ask: (signal: AbortSignal) => Promise<Token>): Slot => {
    const stop = new AbortController();
    const slot: Slot = { asked: ask(stop.signal), stop, token: undefined, waiting: 0 };
    slots.set(scope, slot);
    slot.asked.then(
      (token) => (slot.token = token),
      () => forget(scope, slot),
    );
    return slot;
  };

  return {
    async header(scope, ask, signal) {
      signal?.throwIfAborted();
      const known = slots.get(scope);
      // Nothing is awaited between looking and asking: else all who find a token that is over would ask.
      const isOver = known?.token !== undefined && known.token.expiresAt <= Date.now();
      const slot = known === undefined || isOver ? start(scope, ask) : known;
      slot.waiting += 1;
      try {
        return (await unlessAborted(slot.asked, signal)).header;
      } finally {
        slot.waiting -= 1;
        // One that gives up leaves the asking to the others; the last one ends it.
        if (slot.waiting === 0 && slot.token === undefined) {
          forget(scope, slot);
          slot.stop.abort();
        }
      }
    },
    refuse(scope, used) {
      const slot = slots.get(scope);
      if (slot?.token !== undefined && slot.token.header === used) forget(scope, slot);
    },
    clear: () => slots.clear(),
  };
}

function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason as Error);
    signal.addEventListener('abort', onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
