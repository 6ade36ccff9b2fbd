import { Client } from 'pg';
import type { Store } from '../store/database.ts';
import { noticeChannel } from '../store/notices.ts';
import { eventChannel } from './events.ts';

const reconnectMs = 500;
/** A connection that has answered nothing for so many looks is taken for broken. */
const patience = 3;

/** A connection of its own on which the database tells of events and of other changes. */
export interface EventConnection {
  /** Looks whether it is still there: one can be gone without a word. Then another takes its place. */
  check(): void;
  close(): Promise<void>;
}

/**
 * Listens, and connects again when the connection ends. Changes go to the store's notices.
 * @throws the first connection's error
 */
export async function openEventConnection(
  store: Store,
  told: {
    /** There are events of this tenant. */
    readonly events: (tenantId: string) => void;
    /** It listens, after it may have missed something. */
    readonly listening: () => void;
  },
): Promise<EventConnection> {
  let closed = false;
  let everListened = false;
  let client: Client | undefined;
  /** The same while it listens. */
  let hearing: Client | undefined;
  let unanswered = 0;

  const connect = async (): Promise<void> => {
    const next = new Client({ connectionString: store.url, application_name: 'sp-management-api events' });
    let deaf: (() => void) | undefined;
    const again = (): void => {
      deaf?.();
      if (client !== next || closed) return;
      client = undefined;
      hearing = undefined;
      setTimeout(() => {
        if (!closed) void connect().catch(() => {});
      }, reconnectMs).unref();
    };
    client = next;
    unanswered = 0;
    next.on('error', again);
    next.on('end', again);
    next.on('notification', ({ channel, payload = '' }) => {
      if (channel === noticeChannel) store.notices.hear(payload);
      else told.events(payload);
    });
    try {
      await next.connect();
      await next.query(`LISTEN ${eventChannel}`);
      await next.query(`LISTEN ${noticeChannel}`);
    } catch (error) {
      // Nobody gets the connection whose first try failed, and nobody could close what goes on trying.
      if (!everListened) closed = true;
      again();
      await next.end().catch(() => {});
      throw error;
    }
    everListened = true;
    if (client !== next || closed) return;
    hearing = next;
    deaf = store.notices.listening();
    told.listening();
  };
  await connect();

  const answered = (): undefined => {
    unanswered = 0;
    return undefined;
  };
  return {
    check: () => {
      const asked = hearing;
      if (asked === undefined) return;
      unanswered += 1;
      if (unanswered > patience) {
        (asked as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy();
      } else if (unanswered === 1) {
        void asked.query('select 1').then(answered, () => {});
      }
    },
    close: async () => {
      closed = true;
      await client?.end().catch(() => {});
    },
  };
}
