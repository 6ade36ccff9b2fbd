import type { ConnectOptions } from './connect.ts';
import { openSession, type QueryResult, type StatementOptions } from './open-session.ts';

/** How to run a statement by itself. */
export interface QueryOptions extends ConnectOptions, StatementOptions {
  /** Lets the statement change nothing. @defaultValue false */
  readonly readOnly?: boolean | undefined;
}

/**
 * Connects, runs one statement, and closes the connection.
 * @throws {DatabaseError} SP_DATABASE_QUERY_FAILED with `sqlState` and `position`, and the connection's
 * @example
 * (await runQuery(url, 'select 1 as one')).rows; // [[1]]
 */
export async function runQuery(url: string, sql: string, options: QueryOptions = {}): Promise<QueryResult> {
  const session = await openSession(url, options);
  try {
    if (options.readOnly === true) await session.run('set default_transaction_read_only = on');
    return await session.run(sql, options);
  } finally {
    await session.close();
  }
}
