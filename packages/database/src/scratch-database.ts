import { randomBytes } from 'node:crypto';
import { type ConnectOptions, liftTimeLimits, withConnection } from './connect.ts';
import { parseDatabaseUrl } from './database-address.ts';

const prefix = 'sp_scratch_';

/**
 * Makes an empty database on a server for `work`, and drops it afterwards. One that a killed process left behind is
 * dropped by the next call.
 */
export async function withScratchDatabase<T>(
  serverUrl: string,
  work: (url: string) => Promise<T>,
  options: ConnectOptions = {},
): Promise<T> {
  const address = parseDatabaseUrl(serverUrl);
  const name = `${prefix}${Date.now()}_${randomBytes(6).toString('hex')}`;
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return await withConnection(
    address,
    async (connection) => {
      await liftTimeLimits(connection);
      await dropLeftovers();
      await connection.unsafe(`create database ${name} template template0`);
      // A connection of our own marks it as in use, so that nobody takes it for a leftover.
      const result = await withConnection(
        parseDatabaseUrl(url.href),
        (mark) => liftTimeLimits(mark).then(() => work(url.href)),
        options,
      ).catch(async (error: unknown) => {
        await drop().catch(() => undefined);
        throw error;
      });
      await drop();
      return result;

      // Without the signal: whoever gives up does not want to keep a copy of the data on the server.
      async function drop(): Promise<void> {
        const { connectTimeout } = options;
        const statement = `drop database if exists ${name} with (force)`;
        await withConnection(address, (own) => own.unsafe(statement), { connectTimeout });
      }

      async function dropLeftovers(): Promise<void> {
        const old = await connection.unsafe<{ name: string }[]>(
          `select datname as name from pg_database d where datname ~ '^${prefix}[0-9]+_[0-9a-f]{12}$'
             and split_part(datname, '_', 3)::int8 < (extract(epoch from now()) - 3600) * 1000
             and not exists (select 1 from pg_stat_activity a where a.datid = d.oid)`,
        );
        for (const each of old) await connection.unsafe(`drop database if exists ${each.name}`);
      }
    },
    options,
  );
}
