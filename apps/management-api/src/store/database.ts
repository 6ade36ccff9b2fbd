import { drizzle, type NodePgDatabase } from 'drizzle-orm/node-postgres';
import { type ClientBase, Pool } from 'pg';
import { createNotices, type Notices, noticeChannel } from './notices.ts';
import * as schema from './schema.ts';

/** The control plane's own database. */
export interface Store {
  readonly db: NodePgDatabase<typeof schema>;
  readonly pool: Pool;
  /** Holds the password. */
  readonly url: string;
  /** What changes in it. */
  readonly notices: Notices;
  close(): Promise<void>;
}

/** What the functions that take part in somebody's transaction are given. */
export type Transaction = Parameters<Parameters<Store['db']['transaction']>[0]>[0];

/** Opens the database behind a `postgresql://` address, at most ten connections at a time. */
export async function openStore(url: string): Promise<Store> {
  const notices = createNotices();
  // A connection that listens is sent the notices of its own commit before the commit's answer: whoever reads after a
  // write of this process finds forgotten what it made untrue.
  const listen = async (client: ClientBase): Promise<void> => {
    // One that breaks between two queries of a transaction is nobody's but its own, and would end the process.
    client.on('error', () => {});
    client.on('notification', ({ payload }) => notices.hear(payload ?? ''));
    await client.query(`LISTEN ${noticeChannel}`);
  };
  // The pool waits for what it gives, whatever its type says.
  const onConnect = listen as (client: ClientBase) => void;
  const pool = new Pool({ connectionString: url, max: 10, application_name: 'sp-management-api', onConnect });
  // An idle connection that breaks is replaced at the next query; without a listener it would end the process.
  pool.on('error', () => {});
  const client = await pool.connect().catch(async (error: unknown) => {
    await pool.end();
    throw error;
  });
  client.release();
  return { db: drizzle({ client: pool, schema }), pool, url, notices, close: () => pool.end() };
}
