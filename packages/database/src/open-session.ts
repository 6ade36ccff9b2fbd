import { type Connection, type ConnectOptions, openConnection, withConnection } from './connect.ts';
import { parseDatabaseUrl, showAddress } from './database-address.ts';
import { toDatabaseError } from './to-database-error.ts';

/** A value of a column. */
export type QueryValue = string | number | boolean | null;

/** What a statement answered. */
export interface QueryResult {
  /** For example `SELECT` or `INSERT`. */
  readonly command: string;
  /** Names of the columns, in order; empty for statements that answer no rows. Names may repeat. */
  readonly columns: readonly string[];
  /** A value for each column. Times, JSON, big numbers and everything unknown are texts, as Postgres writes them. */
  readonly rows: readonly (readonly QueryValue[])[];
  /** Rows answered (at most `limit`) or changed. */
  readonly rowCount: number;
  /** Whether there were more rows than `limit`. */
  readonly truncated: boolean;
}

/** How to run a statement. */
export interface StatementOptions {
  /** Values for `$1`, `$2`, … @defaultValue `[]` */
  readonly parameters?: readonly QueryValue[] | undefined;
  /** Rows at most; the rest is not fetched. @defaultValue 1000 */
  readonly limit?: number | undefined;
  /** Cancels the statement; the session goes on. */
  readonly signal?: AbortSignal | undefined;
}

/** One connection, with its transaction and its settings, for one statement after the other. */
export interface DatabaseSession {
  /** For example `18.4`. */
  readonly serverVersion: string;
  /**
   * Runs one statement.
   * @throws {DatabaseError} SP_DATABASE_QUERY_FAILED with `sqlState` and `position`; SP_DATABASE_UNREACHABLE
   */
  run(sql: string, options?: StatementOptions): Promise<QueryResult>;
  /** Ends the connection; what a transaction has not committed is undone. */
  close(): Promise<void>;
}

/** How long a person who gave up waits for a server that is to hear of it, in milliseconds. */
const cancelTimeout = 2_000;

/**
 * Logs in to a database, for several statements.
 * @throws {DatabaseError}
 */
export async function openSession(url: string, options: ConnectOptions = {}): Promise<DatabaseSession> {
  const address = parseDatabaseUrl(url);
  const connection = await openConnection(address, options);
  const fail = (error: unknown): never => {
    options.signal?.throwIfAborted();
    throw toDatabaseError(error, showAddress(address));
  };
  const close = async (): Promise<void> => await connection.close();
  try {
    const [row] = await connection.sql.unsafe<{ version: string; pid: number }[]>(
      `select current_setting('server_version') as version, pg_backend_pid() as pid`,
    );
    // A session may end the statements of its own role; without an answer the statement just goes on. Not with the
    // signal: a server does not notice by itself that whoever asked is gone, and works on for nobody.
    const patience = { connectTimeout: Math.min(options.connectTimeout ?? cancelTimeout, cancelTimeout) };
    const cancel = (): Promise<unknown> =>
      withConnection(address, (sql) => sql.unsafe('select pg_cancel_backend($1)', [row?.pid ?? 0]), patience).catch(
        () => undefined,
      );
    const run = async (sql: string, statement: StatementOptions = {}): Promise<QueryResult> =>
      await runStatement(connection.sql, sql, { ...statement, cancel }).catch(fail);
    return { serverVersion: row?.version.split(' ')[0] ?? '', run, close };
  } catch (error) {
    await close();
    return fail(error);
  }
}

async function runStatement(
  sql: Connection,
  text: string,
  options: StatementOptions & { cancel(): Promise<unknown> },
): Promise<QueryResult> {
  const { parameters = [], limit = 1000, signal } = options;
  signal?.throwIfAborted();
  const rows: QueryValue[][] = [];
  let columns: readonly string[] = [];
  let [command, rowCount] = ['SELECT', 0];
  const query = sql.unsafe(text, [...parameters], { prepare: false }).values();
  let cancelled: Promise<unknown> | undefined;
  const cancel = (): void => {
    cancelled = options.cancel();
  };
  // Names come with the first batch, the command and its count with the last.
  const take = (batch: Batch): void => {
    rows.push(...batch);
    if (columns.length === 0) columns = batch.columns?.map(({ name }) => name) ?? [];
    command = batch.command ?? command;
    rowCount = batch.count ?? rowCount;
  };
  signal?.addEventListener('abort', cancel, { once: true });
  try {
    // One row more than wanted says whether there are more, without fetching them.
    const last = await query.cursor(Math.min(limit + 1, 1000), (batch) => {
      take(batch);
      return rows.length > limit ? sql.CLOSE : undefined;
    });
    // A statement without rows has no batch.
    if (rows.length === 0) take(last);
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  } finally {
    signal?.removeEventListener('abort', cancel);
    // Whoever waits for this may end the process next.
    await cancelled;
  }
  const truncated = rows.length > limit;
  if (columns.length > 0) rowCount = Math.min(rows.length, limit);
  return { command, columns, rows: rows.slice(0, limit), rowCount, truncated };
}

type Batch = readonly QueryValue[][] & {
  readonly columns?: readonly { readonly name: string }[] | null;
  readonly command?: string | null;
  readonly count?: number | null;
};
