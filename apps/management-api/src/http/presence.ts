import { randomInt } from 'node:crypto';
import { Client } from 'pg';
import type { Store } from '../store/database.ts';

/** Tells processes on one database which of them live: each holds a lock for as long as it is connected. */
export interface Presence {
  /** The number by which the others know this process; takes its lock first. */
  announce(): Promise<number>;
  /** Gives the lock back. */
  leave(): Promise<void>;
}

// Any number; the first half of the names of the processes' locks.
export const presenceLockSpace = 7_300_005;

/**
 * Announces this process when it is asked to: on a connection of its own, since the lock ends with it. A process that is
 * killed loses it at once. A connection that breaks while the process lives is made again with the next announcement;
 * what is being answered meanwhile has lost its database as well.
 */
export function createPresence(store: Pick<Store, 'url'>): Presence {
  const id = randomInt(2 ** 31);
  let connected: Promise<Client> | undefined;

  async function connect(): Promise<Client> {
    const client = new Client({ connectionString: store.url, application_name: 'sp-management-api presence' });
    const lost = (): void => {
      connected = undefined;
    };
    client.on('error', lost);
    client.on('end', lost);
    try {
      await client.connect();
      // The process may end while this is open.
      (client as unknown as { connection: { stream: { unref(): void } } }).connection.stream.unref();
      await client.query('select pg_advisory_lock($1, $2)', [presenceLockSpace, id]);
      return client;
    } catch (error) {
      lost();
      await client.end().catch(() => {});
      throw error;
    }
  }

  return {
    announce: async () => {
      connected ??= connect();
      await connected;
      return id;
    },
    leave: async () => {
      const client = await connected?.catch(() => undefined);
      connected = undefined;
      await client?.end().catch(() => {});
    },
  };
}
