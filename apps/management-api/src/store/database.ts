import { drizzle, type NodePgDatabase } from 'drizzle-orm/node-postgres';
import { Pool } from 'pg';
import * as schema from './schema.ts';

/** The control plane's own database. */
export interface Store {
  readonly db: NodePgDatabase<typeof schema>;
  readonly pool: Pool;
  /** Holds the password. */
  readonly url: string;
  close(): Promise<void>;
}

/** What the functions that take part in somebody's transaction are given. */
export type Transaction = Parameters<Parameters<Store['db']['transaction']>[0]>[0];

/** Opens the database behind a `postgresql://` address, at most ten connections at a time. */
export async function openStore(url: string): Promise<Store> {
  const pool = new Pool({ connectionString: url, max: 10, application_name: 'sp-management-api' });
  // An idle connection that breaks is replaced at the next query; without a listener it would end the process.
  pool.on('error', () => {});
  const client = await pool.connect().catch(async (error: unknown) => {
    await pool.end();
    throw error;
  });
  client.release();
  return { db: drizzle({ client: pool, schema }), pool, url, close: () => pool.end() };
}
