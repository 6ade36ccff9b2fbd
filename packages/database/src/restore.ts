import { randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import { checkBackup } from './check-backup.ts';
import { type ChosenTool, chooseTool } from './choose-tool.ts';
import { compareRows } from './compare-rows.ts';
import { type Connection, type ConnectOptions, liftTimeLimits, withConnection } from './connect.ts';
import { parseDatabaseUrl, showAddress } from './database-address.ts';
import { DatabaseError, isDatabaseError } from './database-error.ts';
import { describeDatabase } from './describe-database.ts';
import { type DumpOrigin, firstWithTransactionTimeout, readDumpOrigin } from './dump-origin.ts';
import { countRows, listTables, type RowCounts } from './list-tables.ts';
import type { PostgresTool, ToolOptions } from './postgres-tools.ts';
import { restorableSql } from './restorable-sql.ts';
import { runTool, type ToolRun } from './run-tool.ts';
import { UnrestorableSql } from './unrestorable-sql.ts';

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
 * it was before. A backup in SQL may hold nothing but SQL: psql's commands, which run programs and read files, and
 * statements that would end the transaction are refused. Needs `pg_restore`, or `psql` for a backup in SQL, best of the server's version.
 * @throws {DatabaseError} SP_DATABASE_NOT_EMPTY, SP_DATABASE_BACKUP_DAMAGED, SP_DATABASE_BACKUP_UNSUITABLE,
 * SP_DATABASE_ROWS_DIFFER and others
 */
export async function restore(url: string, options: RestoreOptions): Promise<Restored> {
  const { replace = false, signal } = options;
  const address = parseDatabaseUrl(url);
  const shown = showAddress(address);
  const { path, format, description } = await checkBackup(options.path, { signal });
  const { serverMajor, serverVersion } = await describeDatabase(url, options);
  const origin = await readDumpOrigin(path, format);
  if (origin.setsTransactionTimeout && serverMajor < firstWithTransactionTimeout) {
    const message = `${whose(path, origin)} needs Postgres ${firstWithTransactionTimeout}, and ${shown} is Postgres ${serverVersion}`;
    throw new DatabaseError('SP_DATABASE_BACKUP_UNSUITABLE', message, {
      path,
      address: shown,
      neededVersion: firstWithTransactionTimeout,
      foundVersion: serverMajor,
    });
  }
  const tables = await listTables(url, options);
  if (!replace && tables.length > 0) {
    const message = `The database ${shown} has tables already, ${tables[0]?.schema}.${tables[0]?.name} among them`;
    throw new DatabaseError('SP_DATABASE_NOT_EMPTY', message, { address: shown });
  }
  const tool = format === 'sql' ? 'psql' : 'pg_restore';
  const files = format === 'directory';
  const choose = async (major: number): Promise<ChosenTool> =>
    await chooseTool(tool, { ...options, address, serverMajor: major, files });
  const newer = format === 'sql' ? serverMajor : Math.max(serverMajor, origin.major);
  // Text is read by the server: nearly any psql sends it. An archive can often be read by an older pg_restore.
  const least = format === 'sql' ? 0 : serverMajor;
  const chosen = await choose(newer).catch(async (error: unknown) => {
    if (newer === least || !isDatabaseError(error) || error.code !== 'SP_DATABASE_TOOL_MISSING') throw error;
    return await choose(least);
  });
  const run = { tool, chosen, signal } as const;
  if (format === 'sql') {
    const flags = ['--no-psqlrc', '--no-password', '--quiet', '--set=ON_ERROR_STOP=1', '--file=-'];
    const key = (await knowsRestrict(run, flags)) ? randomBytes(16).toString('hex') : undefined;
    // The mark is for the first byte only, and that is not the dump's here.
    const file: AsyncIterable<Buffer> = createReadStream(path, { start: origin.markBytes });
    let unrestorable: UnrestorableSql | undefined;
    const sql = restorableSql(file, { strict: key === undefined });
    const input = Readable.from(inTransaction(sql, { key, onProblem: (problem) => (unrestorable = problem) }));
    await runTool({ ...run, arguments: flags, input }).catch((error: unknown) => {
      if (unrestorable === undefined) throw error;
      const { kind, reason, line } = unrestorable.problem;
      const code = kind === 'damaged' ? 'SP_DATABASE_BACKUP_DAMAGED' : 'SP_DATABASE_BACKUP_UNSUITABLE';
      throw new DatabaseError(code, `${whose(path, origin)} cannot be restored: ${reason} in line ${line}`, { path });
    });
  } else {
    const flags = ['--no-owner', '--no-privileges', '--no-password', '--single-transaction', '--exit-on-error'];
    if (replace) flags.push('--clean', '--if-exists');
    flags.push(`--dbname=${connectionString(address.database)}`);
    // What runs elsewhere sees no files: it gets this one as it reads.
    const from = chosen.elsewhere
      ? { arguments: flags, input: createReadStream(path) }
      : { arguments: [...flags, path] };
    await runTool({ ...run, ...from }).catch(asTooOld(tool, { path, origin, chosen }));
  }
  const count = async (connection: Connection): Promise<RowCounts> => {
    await liftTimeLimits(connection);
    return await countRows(connection);
  };
  const rows = await withConnection(address, count, options);
  if (description === undefined) return { rows, compared: false };
  compareRows(rows, {
    expected: description.rows,
    address: shown,
    others: replace ? 'allowed' : 'refused',
  });
  return { rows, compared: true };
}

// Not psql's --single-transaction: it commits at the end of its input, also when whoever feeds it was killed half-way.
async function* inTransaction(
  sql: AsyncIterable<Buffer>,
  { key, onProblem }: { readonly key: string | undefined; readonly onProblem: (problem: UnrestorableSql) => void },
): AsyncIterable<Buffer | string> {
  // From here on psql takes nothing but SQL: a dump could run programs.
  if (key !== undefined) yield `\\restrict ${key} \\\\ `;
  // The limits of time as dumps of pg_dump lift them themselves, but before there is a transaction. All in the dump's
  // first line, so that psql counts its lines.
  yield 'set statement_timeout = 0; set lock_timeout = 0; set idle_in_transaction_session_timeout = 0; begin; ';
  try {
    yield* sql;
  } catch (error) {
    if (error instanceof UnrestorableSql) onProblem(error);
    throw error;
  }
  yield '\ncommit;\n';
}

/** Whether this psql can be told to take nothing but SQL: those since August 2025. */
async function knowsRestrict(run: Omit<ToolRun, 'arguments'>, flags: readonly string[]): Promise<boolean> {
  try {
    await runTool({ ...run, arguments: flags, input: Readable.from(['\\restrict test\n\\unrestrict test\n']) });
    return true;
  } catch (error) {
    if (isDatabaseError(error) && error.message.includes('invalid command \\restrict')) return false;
    throw error;
  }
}

// A name alone is taken for a connection string as soon as it has a `=`.
function connectionString(database: string): string {
  return `dbname='${database.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}

// In these words pg_restore refuses an archive that was written later.
const tooNewForTool = /unsupported version \(\d+\.\d+\) in file header/;

function asTooOld(
  tool: PostgresTool,
  { path, origin, chosen }: { path: string; origin: DumpOrigin; chosen: ChosenTool },
): (error: unknown) => never {
  return (error) => {
    const problem = isDatabaseError(error) ? tooNewForTool.exec(error.message)?.[0] : undefined;
    if (problem === undefined) throw error;
    const { version } = chosen.found;
    const message = `${whose(path, origin)} needs a newer ${tool} than the one found, of version ${version}: ${problem}`;
    const facts = { tool, path, neededVersion: origin.major || undefined, foundVersion: version };
    throw new DatabaseError('SP_DATABASE_TOOL_MISSING', message, facts);
  };
}

function whose(path: string, { version }: DumpOrigin): string {
  return version === undefined ? `The backup ${path}` : `The backup ${path}, which pg_dump ${version} wrote,`;
}
