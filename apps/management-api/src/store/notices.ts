/** What a committed change has made untrue of what somebody remembers. */
export interface Notice {
  /** `tenants`: how a user's tenants are; `access`: what lets a user in; `keys`: the keys that sign tokens. */
  readonly kind: 'tenants' | 'access' | 'keys';
  /** The user; absent for `keys`. */
  readonly userId: string | undefined;
}

/** The channel on which the database's triggers tell of changes, within the transaction that makes them. */
export const noticeChannel = 'sp_changes';

/**
 * Passes on what changes in the database, whoever changed it, so that what is remembered of it is forgotten in time.
 * What this process commits itself is told before its own `await` of the commit goes on.
 */
export interface Notices {
  /** Whether every change is heard now: while not, nothing may be remembered. */
  readonly complete: boolean;
  /** Calls with each notice, and with `undefined` when some may be missed: then nothing that is remembered holds. */
  subscribe(forget: (notice: Notice | undefined) => void): () => void;
  /** Takes what came on {@link noticeChannel}. */
  hear(payload: string): void;
  /** Says that a connection listens; what it gives says that it does no longer. */
  listening(): () => void;
}

/** A store's notices: none, until a connection listens. */
export function createNotices(): Notices {
  const subscribers = new Set<(notice: Notice | undefined) => void>();
  let listeners = 0;
  const tell = (notice: Notice | undefined): void => {
    for (const forget of subscribers) forget(notice);
  };
  return {
    get complete() {
      return listeners > 0;
    },
    subscribe: (forget) => {
      subscribers.add(forget);
      return () => subscribers.delete(forget);
    },
    hear: (payload) => {
      const [kind, userId] = payload.split(' ', 2);
      if (kind === 'tenants' || kind === 'access') tell({ kind, userId });
      else if (kind === 'keys') tell({ kind, userId: undefined });
      // What a newer version tells is not understood, and may be about anything.
      else tell(undefined);
    },
    listening: () => {
      listeners += 1;
      let listens = true;
      return () => {
        if (!listens) return;
        listens = false;
        listeners -= 1;
        if (listeners === 0) tell(undefined);
      };
    },
  };
}
