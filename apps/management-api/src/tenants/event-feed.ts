import { inArray } from 'drizzle-orm';
import { Client } from 'pg';
import type { Store } from '../store/database.ts';
import { tenants } from '../store/schema.ts';
import { eventChannel, listEvents, type StoredEvent } from './events.ts';

const batch = 100;
const pollMs = 1500;
const reconnectMs = 500;

/** The followers of one tenant. */
interface Followed {
  readonly wakes: Set<() => void>;
  /** What is being read, or was since the last news, by the number after which. */
  readonly reads: Map<number, Promise<readonly StoredEvent[]>>;
  /** The last number that was read. */
  head: number;
}

/** The tenants' events as they happen, also those of other processes on the same database. */
export interface EventFeed {
  /** What happened after a number, then what happens; in order, without gaps. Ends when `signal` aborts. */
  follow(
    tenantId: string,
    options: { readonly after: number; readonly signal: AbortSignal },
  ): AsyncIterable<StoredEvent>;
  /** Ends every follower. */
  close(): Promise<void>;
}

/** Listens on one connection of its own for all followers; a slow poll covers what a broken connection missed. */
export async function createEventFeed(store: Store): Promise<EventFeed> {
  const followers = new Map<string, Followed>();
  let closed = false;
  let client: Client | undefined;

  const wakeTenant = (followed: Followed): void => {
    followed.reads.clear();
    for (const wake of followed.wakes) wake();
  };
  const wakeAll = (): void => {
    for (const followed of followers.values()) wakeTenant(followed);
  };

  /** One look for all tenants that are followed, however many follow them. */
  const look = async (): Promise<void> => {
    if (followers.size === 0) return;
    const rows = await store.db
      .select({ id: tenants.id, head: tenants.eventSequence })
      .from(tenants)
      .where(inArray(tenants.id, [...followers.keys()]));
    for (const { id, head } of rows) {
      const followed = followers.get(id);
      if (followed !== undefined && head > followed.head) wakeTenant(followed);
    }
  };

  /** Those who have seen the same read together. */
  const read = (tenantId: string, followed: Followed, after: number): Promise<readonly StoredEvent[]> => {
    const shared = followed.reads.get(after);
    if (shared !== undefined) return shared;
    const reading = listEvents(store, { tenantId, after, limit: batch }).then((events) => {
      const head = Math.max(after, events.at(-1)?.sequence ?? 0);
      if (head > followed.head) {
        followed.head = head;
        // News, also for those whose last look was before it.
        wakeTenant(followed);
      }
      return events;
    });
    followed.reads.set(after, reading);
    // Who comes after a failure reads for themselves.
    reading.catch(() => followed.reads.delete(after));
    return reading;
  };

  const connect = async (): Promise<void> => {
    const next = new Client({ connectionString: store.url, application_name: 'sp-management-api events' });
    const again = (): void => {
      if (client !== next || closed) return;
      client = undefined;
      setTimeout(() => void connect().catch(() => {}), reconnectMs).unref();
    };
    client = next;
    next.on('error', again);
    next.on('end', again);
    next.on('notification', ({ payload }) => {
      const followed = followers.get(payload ?? '');
      if (followed !== undefined) wakeTenant(followed);
    });
    try {
      await next.connect();
      await next.query(`LISTEN ${eventChannel}`);
    } catch (error) {
      again();
      await next.end().catch(() => {});
      throw error;
    }
    // What was sent while nobody listened.
    wakeAll();
  };
  await connect();
  let looking = false;
  const poll = setInterval(() => {
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

  async function* follow(
    tenantId: string,
    options: { readonly after: number; readonly signal: AbortSignal },
  ): AsyncGenerator<StoredEvent, void, undefined> {
    const { signal } = options;
    let after = options.after;
    // Set before each query, so that an event between the query and the wait is not slept over.
    let news = true;
    let resume: (() => void) | undefined;
    const wake = (): void => {
      news = true;
      resume?.();
    };
    const ended = (): boolean => signal.aborted || closed;
    const followed = followers.get(tenantId) ?? { wakes: new Set(), reads: new Map(), head: 0 };
    followers.set(tenantId, followed);
    followed.wakes.add(wake);
    signal.addEventListener('abort', wake);
    try {
      while (!ended()) {
        if (!news) await new Promise<void>((done) => (resume = done));
        if (ended()) return;
        news = false;
        const events = await read(tenantId, followed, after);
        for (const event of events) {
          if (ended()) return;
          yield event;
          after = event.sequence;
        }
        if (events.length === batch) news = true;
      }
    } finally {
      signal.removeEventListener('abort', wake);
      followed.wakes.delete(wake);
      if (followed.wakes.size === 0) followers.delete(tenantId);
    }
  }

  return {
    follow,
    close: async () => {
      closed = true;
      wakeAll();
      clearInterval(poll);
      await client?.end().catch(() => {});
    },
  };
}
