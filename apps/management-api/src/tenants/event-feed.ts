import { inArray } from 'drizzle-orm';
import type { Store } from '../store/database.ts';
import { tenants } from '../store/schema.ts';
import { openEventConnection } from './event-connection.ts';
import { listEvents, type StoredEvent } from './events.ts';

const batch = 100;
const pollMs = 1500;

/** Somebody who is told of a tenant's events. Those who have seen the same are told together, of the same objects. */
export interface Follower {
  /** The number of the last event that it was told of; the feed moves it on. */
  after: number;
  /**
   * Takes the events that come next. With `false` it wants no more for now: the feed forgets it, and it joins again
   * when it does; nothing is kept for it meanwhile.
   */
  take(events: readonly StoredEvent[]): boolean;
  /** There will be no more: the feed was closed, or with an error could not read. */
  end(error?: unknown): void;
}

/** The followers of one tenant. */
interface Followed {
  readonly id: string;
  /** By the number of the last event that they have. */
  readonly positions: Map<number, Set<Follower>>;
  /** What is being read, or was since the last news, by the number after which. */
  readonly reads: Map<number, Promise<readonly StoredEvent[]>>;
  /** The last number that was read. */
  head: number;
  advancing: boolean;
  /** There is news, or somebody new, since what is being told was read. */
  again: boolean;
}

/** The tenants' events as they happen, also those of other processes on the same database. */
export interface EventFeed {
  /** Tells a follower what happened after its number, then what happens; in order, without gaps. */
  join(tenantId: string, follower: Follower): void;
  /** Tells it no more. */
  leave(tenantId: string, follower: Follower): void;
  /** The same as an iteration, for few. Ends when `signal` aborts. */
  follow(
    tenantId: string,
    options: { readonly after: number; readonly signal: AbortSignal },
  ): AsyncIterable<StoredEvent>;
  /** Ends every follower. */
  close(): Promise<void>;
}

/**
 * Listens on one connection of its own for all followers; a slow poll covers what a broken connection missed. The same
 * connection hears what else changes in the store.
 */
export async function createEventFeed(store: Store): Promise<EventFeed> {
  const followers = new Map<string, Followed>();
  let closed = false;

  const wake = (followed: Followed): void => {
    followed.reads.clear();
    void advance(followed);
  };

  /** One look for all tenants that are followed, however many follow them. */
  const look = async (): Promise<void> => {
    if (followers.size === 0) return;
    const rows = await store.db
      .select({ id: tenants.id, ownerId: tenants.ownerId, head: tenants.eventSequence })
      .from(tenants)
      .where(inArray(tenants.id, [...followers.keys()]));
    for (const { id, ownerId, head } of rows) {
      const followed = followers.get(id);
      if (followed === undefined || head <= followed.head) continue;
      // Whoever is told of it now must not be shown what was before it.
      store.notices.hear(`tenants ${ownerId}`);
      wake(followed);
    }
  };

  /** Those who have seen the same read together. */
  const read = (followed: Followed, after: number): Promise<readonly StoredEvent[]> => {
    const shared = followed.reads.get(after);
    if (shared !== undefined) return shared;
    const reading = listEvents(store, { tenantId: followed.id, after, limit: batch }).then((events) => {
      const head = Math.max(after, events.at(-1)?.sequence ?? 0);
      if (head > followed.head) {
        followed.head = head;
        // News, also for those whose last look was before it.
        wake(followed);
      }
      return events;
    });
    followed.reads.set(after, reading);
    // Who comes after a failure reads for themselves.
    reading.catch(() => followed.reads.delete(after));
    return reading;
  };

  const advance = async (followed: Followed): Promise<void> => {
    followed.again = true;
    if (followed.advancing) return;
    followed.advancing = true;
    while (followed.again) {
      followed.again = false;
      await Promise.all([...followed.positions.keys()].map((after) => tell(followed, after)));
    }
    followed.advancing = false;
    if (followed.positions.size === 0 && followers.get(followed.id) === followed) followers.delete(followed.id);
  };

  const tell = async (followed: Followed, after: number): Promise<void> => {
    let events: readonly StoredEvent[];
    try {
      events = await read(followed, after);
    } catch (error) {
      const group = followed.positions.get(after);
      followed.positions.delete(after);
      for (const follower of group ?? []) follower.end(error);
      return;
    }
    const group = closed ? undefined : followed.positions.get(after);
    const last = events.at(-1)?.sequence;
    if (group === undefined || last === undefined) return;
    followed.positions.delete(after);
    // There already, so that one that leaves while it is told is found.
    const there = followed.positions.get(last);
    if (there === undefined) followed.positions.set(last, group);
    for (const follower of group) {
      follower.after = last;
      there?.add(follower);
      if (!taken(follower, events)) leaveAt(followed, follower);
    }
    if (group.size === 0 && followed.positions.get(last) === group) followed.positions.delete(last);
    if (events.length === batch) followed.again = true;
  };

  const connection = await openEventConnection(store, {
    events: (tenantId) => {
      const followed = followers.get(tenantId);
      if (followed !== undefined) wake(followed);
    },
    // What was sent while nobody listened.
    listening: () => {
      for (const followed of followers.values()) wake(followed);
    },
  });
  let looking = false;
  const poll = setInterval(() => {
    connection.check();
    if (looking) return;
    looking = true;
    // A database that does not answer is asked again.
    void look()
      .catch(() => {})
      .finally(() => {
        looking = false;
      });
  }, pollMs);
  poll.unref();

  function join(tenantId: string, follower: Follower): void {
    if (closed) {
      follower.end();
      return;
    }
    const known = followers.get(tenantId);
    const followed = known ?? {
      id: tenantId,
      positions: new Map(),
      reads: new Map(),
      head: 0,
      advancing: false,
      again: false,
    };
    if (known === undefined) followers.set(tenantId, followed);
    const group = followed.positions.get(follower.after);
    if (group === undefined) followed.positions.set(follower.after, new Set([follower]));
    else group.add(follower);
    void advance(followed);
  }

  function leave(tenantId: string, follower: Follower): void {
    const followed = followers.get(tenantId);
    if (followed === undefined) return;
    leaveAt(followed, follower);
    if (followed.positions.size === 0 && !followed.advancing) followers.delete(tenantId);
  }

  async function* follow(
    tenantId: string,
    { after, signal }: { readonly after: number; readonly signal: AbortSignal },
  ): AsyncGenerator<StoredEvent, void, undefined> {
    let arrived: readonly StoredEvent[] = [];
    let over: { readonly error?: unknown } | undefined;
    let resume = (): void => {};
    const follower: Follower = {
      after,
      take: (events) => {
        arrived = events;
        resume();
        return false;
      },
      end: (error) => {
        over = error === undefined ? {} : { error };
        resume();
      },
    };
    const aborted = (): void => follower.end();
    signal.addEventListener('abort', aborted, { once: true });
    try {
      while (!signal.aborted) {
        arrived = [];
        const told = new Promise<void>((done) => {
          resume = done;
        });
        join(tenantId, follower);
        await told;
        for (const event of arrived) {
          if (signal.aborted || closed) return;
          yield event;
        }
        if (over !== undefined && 'error' in over) throw over.error;
        if (over !== undefined) return;
      }
    } finally {
      signal.removeEventListener('abort', aborted);
      leave(tenantId, follower);
    }
  }

  return {
    join,
    leave,
    follow,
    close: async () => {
      closed = true;
      clearInterval(poll);
      const all = [...followers.values()].flatMap(({ positions }) => [...positions.values()]);
      followers.clear();
      for (const group of all) for (const follower of group) follower.end();
      await connection.close();
    },
  };
}

/** One that fails must not keep the others from their events. */
function taken(follower: Follower, events: readonly StoredEvent[]): boolean {
  try {
    return follower.take(events);
  } catch (error) {
    follower.end(error);
    return false;
  }
}

function leaveAt(followed: Followed, follower: Follower): void {
  const group = followed.positions.get(follower.after);
  if (group?.delete(follower) === true && group.size === 0) followed.positions.delete(follower.after);
}
