import type { Socket } from 'node:net';
import postgres, { type Sql } from 'postgres';
import { type DatabaseAddress, showAddress } from './database-address.ts';
import { openServerSocket } from './open-server-socket.ts';
import { toDatabaseError } from './to-database-error.ts';

/** The driver's connection. */
export type Connection = Sql;

/** How to connect. */
export interface ConnectOptions {
  /** How long to wait for the server, in milliseconds. @defaultValue 10000 */
  readonly connectTimeout?: number | undefined;
  /** Ends the work and the connection at once. */
  readonly signal?: AbortSignal | undefined;
}

// As Postgres writes them: a Date would lose the microseconds, a Buffer the form, an object the numbers.
const asText = {
  to: 25,
  from: [17, 114, 1082, 1114, 1184, 3802],
  serialize: String,
  parse: (text: string): string => text,
};

/** One connection, made with the first statement and never made again. Aborting ends it. */
export async function openConnection(
  address: DatabaseAddress,
  options: ConnectOptions,
): Promise<{ readonly sql: Connection; close(): Promise<void> }> {
  const { connectTimeout = 10_000, signal } = options;
  signal?.throwIfAborted();
  const sockets: Socket[] = [];
  // The driver would connect again by itself: at once and without end to a server that hangs up, and to a new session
  // that knows nothing of the old one's transaction and settings.
  const socket = async (): Promise<Socket> => {
    if (sockets.length > 0) throw new Error('it closed the connection');
    return await openServerSocket(address, { connectTimeout, onSocket: (opened) => sockets.push(opened) });
  };
  const settings = {
    socket,
    user: address.user,
    password: address.password ?? '',
    database: address.database,
    max: 1,
    connect_timeout: connectTimeout / 1000,
    connection: { application_name: 'systemprompt' },
    fetch_types: false,
    prepare: false,
    onnotice: () => {},
    types: { asText },
  };
  const sql = postgres(settings);
  const close = async (): Promise<void> => {
    signal?.removeEventListener('abort', stop);
    await sql.end({ timeout: 0 });
    for (const each of sockets) each.destroy();
  };
  const stop = (): void => void close();
  signal?.addEventListener('abort', stop, { once: true });
  return { sql, close };
}

/**
 * Opens one connection for `work` and closes it afterwards.
 * @throws {DatabaseError} instead of what the driver throws
 */
export async function withConnection<T>(
  address: DatabaseAddress,
  work: (connection: Connection) => Promise<T>,
  options: ConnectOptions = {},
): Promise<T> {
  const { sql, close } = await openConnection(address, options);
  try {
    return await work(sql);
  } catch (error) {
    options.signal?.throwIfAborted();
    throw toDatabaseError(error, showAddress(address));
  } finally {
    await close();
  }
}

/**
 * Lifts the limits of time that a server, a database or a role has for people's statements: they would end work that
 * takes long, or a transaction that waits while a program of Postgres' own works.
 */
export async function liftTimeLimits(connection: Connection): Promise<void> {
  // By what there is: older servers do not know all of them.
  await connection.unsafe(`select set_config(name, '0', false) from pg_settings where name in (
    'statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout', 'idle_session_timeout', 'transaction_timeout')`);
}
