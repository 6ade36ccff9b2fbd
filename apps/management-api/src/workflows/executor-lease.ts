import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'pg';
import type { Logger } from 'pino';

// Any number; the same in every version of this program.
const lock = 7_300_003;
const reconnectMs = 500;

/** Says to the other processes on the same database that this one lives. */
export interface ExecutorLease {
  /** Of this process, from its start to its end. */
  readonly executorId: string;
  /** Whether the others can see now that this process lives. */
  readonly isHeld: boolean;
  /** Does something in place of a process that has ended, while no other may do it; false when it lives. */
  whileEnded(executorId: string, work: () => Promise<void>): Promise<boolean>;
  close(): Promise<void>;
}

/**
 * Takes a lock on a connection of its own, which the server gives up as soon as the process has ended or its computer
 * does not answer any more: no clock decides who lives. The connection must not go through a pooler.
 */
export async function openExecutorLease(options: {
  /** Of the control plane's own database. */
  readonly url: string;
  readonly logger: Pick<Logger, 'warn'>;
}): Promise<ExecutorLease> {
  const { url, logger } = options;
  const executorId = randomUUID();
  const closing = new AbortController();
  let client: Client | undefined;

  async function connect(): Promise<void> {
    const next = new Client({ connectionString: url, application_name: 'sp-management-api executor', keepAlive: true });
    next.on('error', () => {});
    next.on('end', () => {
      if (client !== next) return;
      client = undefined;
      if (closing.signal.aborted) return;
      logger.warn({ executor: executorId }, 'the lease of this process was lost');
      void reconnect();
    });
    try {
      await next.connect();
      // A computer that vanished without a word is noticed within half a minute, not within hours.
      await next.query('set tcp_keepalives_idle = 10; set tcp_keepalives_interval = 5; set tcp_keepalives_count = 3');
      // Waits only for somebody who takes over our work at this moment.
      await next.query('select pg_advisory_lock(hashtextextended($1, $2))', [executorId, lock]);
      client = next;
    } catch (error) {
      await next.end().catch(() => {});
      throw error;
    }
  }

  async function reconnect(): Promise<void> {
    while (!closing.signal.aborted) {
      await delay(reconnectMs, undefined, { ref: false });
      try {
        await connect();
        // It was closed while we connected.
        if (closing.signal.aborted) await client?.end();
        return;
      } catch {
        // The database is away: whoever asks for something else of it says so.
      }
    }
  }

  await connect();
  return {
    executorId,
    get isHeld() {
      return client !== undefined;
    },
    whileEnded: async (other, work) => {
      // The lock of this process would be given to it once more.
      if (other === executorId || client === undefined) return false;
      const held = client;
      const { rows } = await held.query<{ free: boolean }>(
        'select pg_try_advisory_lock(hashtextextended($1, $2)) as free',
        [other, lock],
      );
      if (rows[0]?.free !== true) return false;
      try {
        await work();
      } finally {
        await held.query('select pg_advisory_unlock(hashtextextended($1, $2))', [other, lock]).catch(() => {});
      }
      return true;
    },
    close: async () => {
      closing.abort();
      await client?.end().catch(() => {});
    },
  };
}
