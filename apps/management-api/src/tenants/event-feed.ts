import { Client } from 'pg';
import type { Store } from '../store/database.ts';
import { eventChannel, listEvents, type StoredEvent } from './events.ts';

const batch = 100;
const pollMs = 1500;
const reconnectMs = 500;

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
  const followers = new Map<string, Set<() => void>>();
  const closing = new AbortController();
  let client: Client | undefined;

  const wakeAll = (): void => {
    for (const wakes of followers.values()) for (const wake of wakes) wake();
  };

  const connect = async (): Promise<void> => {
    const next = new Client({ connectionString: store.url, application_name: 'sp-management-api events' });
    const again = (): void => {
      if (client !== next || closing.signal.aborted) return;
      client = undefined;
      setTimeout(() => void connect().catch(() => {}), reconnectMs).unref();
    };
    client = next;
    next.on('error', again);
    next.on('end', again);
    next.on('notification', ({ payload }) => {
      for (const wake of followers.get(payload ?? '') ?? []) wake();
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
  const poll = setInterval(wakeAll, pollMs);
  poll.unref();

  async function* follow(
    tenantId: string,
    options: { readonly after: number; readonly signal: AbortSignal },
  ): AsyncGenerator<StoredEvent, void, undefined> {
    const signal = AbortSignal.any([options.signal, closing.signal]);
    let after = options.after;
    // Set before each query, so that an event between the query and the wait is not slept over.
    let news = true;
    let resume: (() => void) | undefined;
    const wake = (): void => {
      news = true;
      resume?.();
    };
    const wakes = followers.get(tenantId) ?? new Set();
    followers.set(tenantId, wakes.add(wake));
    signal.addEventListener('abort', wake);
    try {
      while (!signal.aborted) {
        if (!news) await new Promise<void>((done) => (resume = done));
        if (signal.aborted) return;
        news = false;
        const events = await listEvents(store, { tenantId, after, limit: batch });
        for (const event of events) {
          if (signal.aborted) return;
          yield event;
          after = event.sequence;
        }
        if (events.length === batch) news = true;
      }
    } finally {
      signal.removeEventListener('abort', wake);
      wakes.delete(wake);
      if (wakes.size === 0) followers.delete(tenantId);
    }
  }

  return {
    follow,
    close: async () => {
      closing.abort();
      clearInterval(poll);
      await client?.end().catch(() => {});
    },
  };
}
