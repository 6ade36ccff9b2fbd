import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import { checkBackup } from './check-backup.ts';
import { chooseTool } from './choose-tool.ts';
import { compareRows } from './compare-rows.ts';
import { type ConnectOptions, withConnection } from './connect.ts';
import { parseDatabaseUrl, showAddress } from './database-address.ts';
import { DatabaseError } from './database-error.ts';
import { describeDatabase } from './describe-database.ts';
import { countRows, listTables, type RowCounts } from './list-tables.ts';
import type { ToolOptions } from './postgres-tools.ts';
import { runTool } from './run-tool.ts';

/** How to restore. */
export interface RestoreOptions extends ConnectOptions, ToolOptions {
  /** A backup of this package, or a dump that `pg_dump` made in any of the three forms. */
  readonly path: string;
  /** Replaces what the backup holds too; other tables stay. @defaultValue false: the database must have no tables */
  readonly replace?: boolean | undefined;
}

/** What a database holds after a backup was restored into it. */
export interface Restored {
  /** Rows of each table, counted. */
  readonly rows: RowCounts;
  /** Whether they were compared with the backup's description, and are the same. */
  readonly compared: boolean;
}

/**
 * Brings a backup into a database, in one transaction: when anything fails, or the process is killed, the database is as
 * it was before. Needs `pg_restore`, or `psql` for a backup in SQL.
 * @throws {DatabaseError} SP_DATABASE_NOT_EMPTY, SP_DATABASE_BACKUP_DAMAGED, SP_DATABASE_ROWS_DIFFER and others
 */
export async function restore(url: string, options: RestoreOptions): Promise<Restored> {
  const { replace = false, signal } = options;
  const address = parseDatabaseUrl(url);
  const { path, format, description } = await checkBackup(options.path, { signal });
  const { serverMajor } = await describeDatabase(url, options);
  const tool = format === 'sql' ? 'psql' : 'pg_restore';
  const files = format === 'directory';
  // Text is read by the server: any psql sends it.
  const least = format === 'sql' ? 0 : serverMajor;
  const chosen = await chooseTool(tool, { ...options, address, serverMajor: least, files });
  const tables = await listTables(url, options);
  if (!replace && tables.length > 0) {
    const message = `The database ${showAddress(address)} has tables already, ${tables[0]?.schema}.${tables[0]?.name} among them`;
    throw new DatabaseError('SP_DATABASE_NOT_EMPTY', message, { address: showAddress(address) });
  }
  const run = { tool, chosen, signal } as const;
  if (format === 'sql') {
    const flags = ['--no-psqlrc', '--no-password', '--quiet', '--set=ON_ERROR_STOP=1', '--file=-'];
    await runTool({ ...run, arguments: flags, input: Readable.from(inTransaction(createReadStream(path))) });
  } else {
    const flags = ['--no-owner', '--no-privileges', '--no-password', '--single-transaction', '--exit-on-error'];
    if (replace) flags.push('--clean', '--if-exists');
    flags.push(`--dbname=${connectionString(address.database)}`);
    // What runs elsewhere sees no files: it gets this one as it reads.
    if (chosen.elsewhere) await runTool({ ...run, arguments: flags, input: createReadStream(path) });
    else await runTool({ ...run, arguments: [...flags, path] });
  }
  const rows = await withConnection(address, countRows, options);
  if (description === undefined) return { rows, compared: false };
  compareRows(rows, {
    expected: description.rows,
    address: showAddress(address),
    others: replace ? 'allowed' : 'refused',
  });
  return { rows, compared: true };
}

// Not psql's --single-transaction: it commits at the end of its input, also when whoever feeds it was killed half-way.
async function* inTransaction(sql: AsyncIterable<Buffer | string>): AsyncIterable<Buffer | string> {
  yield 'begin;\n';
  yield* sql;
  yield '\ncommit;\n';
}

// A name alone is taken for a connection string as soon as it has a `=`.
function connectionString(database: string): string {
  return `dbname='${database.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
