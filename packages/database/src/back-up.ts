import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { lstat, mkdir, open, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { Transform, type Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import {
  type BackupDescription,
  type BackupFormat,
  descriptionPath,
  serializeDescription,
} from './backup-description.ts';
import { chooseTool } from './choose-tool.ts';
import { type Connection, type ConnectOptions, liftTimeLimits, withConnection } from './connect.ts';
import { parseDatabaseUrl } from './database-address.ts';
import { DatabaseError } from './database-error.ts';
import { describeDatabase } from './describe-database.ts';
import { countRows, type RowCounts } from './list-tables.ts';
import type { ToolOptions } from './postgres-tools.ts';
import { runTool } from './run-tool.ts';

/** How far a backup is. */
export interface BackupProgress {
  /** Written so far. */
  readonly bytes: number;
  /** What the database takes on its server. A backup is compressed and has no indexes, so it ends earlier. */
  readonly databaseBytes: number;
}

/** How to back up. */
export interface BackupOptions extends ConnectOptions, ToolOptions {
  /** The file, or for `directory` the folder, to make. Its own folder is made when missing. */
  readonly path: string;
  /** Which form it gets. @defaultValue 'custom' */
  readonly format?: BackupFormat | undefined;
  /** Called as bytes are written; not for `directory`, whose files are written by several workers. */
  readonly onProgress?: ((progress: BackupProgress) => void) | undefined;
}

/** A backup that is on disk, whole. */
export interface Backup extends BackupDescription {
  /** Absolute. */
  readonly path: string;
}

/**
 * Writes what a database holds at one moment into a file, piece by piece, with a description beside it that tells the
 * rows of each table at the same moment. Needs `pg_dump`. The backup appears under its name when it is complete; what an
 * interrupted one left behind is replaced by the next one of the same name.
 * @throws {DatabaseError}
 */
export async function backUp(url: string, options: BackupOptions): Promise<Backup> {
  const { format = 'custom', onProgress, signal } = options;
  const path = resolve(options.path);
  const address = parseDatabaseUrl(url);
  if (await exists(path)) {
    throw new DatabaseError(
      'SP_DATABASE_BACKUP_EXISTS',
      `There is something already where the backup would go: ${path}`,
      {
        path,
      },
    );
  }
  const { serverMajor, serverVersion, database, bytes: databaseBytes } = await describeDatabase(url, options);
  const files = format === 'directory';
  const chosen = await chooseTool('pg_dump', { ...options, address, serverMajor, files });
  await mkdir(dirname(path), { recursive: true });
  const unfinished = join(dirname(path), `.${basename(path)}.unfinished`);
  await rm(unfinished, { recursive: true, force: true });
  try {
    // Both see the same moment: what is counted is what is dumped.
    const written = await withSnapshot(address, options, async ({ snapshot, takenAt, rows }) => {
      // What fails here is of the disk or the program, and not for the connection to explain.
      const dumped = await dumpInto(unfinished, { snapshot }).then(
        (file) => ({ file }),
        (failure: unknown) => ({ failure }),
      );
      return 'failure' in dumped ? dumped : { ...dumped.file, takenAt, rows: await rows() };
    });
    if ('failure' in written) throw written.failure;
    const description: BackupDescription = { format, database, serverVersion, ...written };
    await writeFile(`${unfinished}.json`, serializeDescription(description), { mode: 0o600 });
    await flush(`${unfinished}.json`);
    // The description first: a backup that has its name has one.
    await rename(`${unfinished}.json`, descriptionPath(path));
    await rename(unfinished, path);
    return { path, ...description };
  } catch (error) {
    await rm(unfinished, { recursive: true, force: true });
    await rm(`${unfinished}.json`, { force: true });
    throw error;
  }

  async function dumpInto(
    file: string,
    { snapshot }: { readonly snapshot: string },
  ): Promise<{ readonly bytes: number; readonly sha256?: string }> {
    const dump = { tool: 'pg_dump', chosen, signal } as const;
    const flags = ['--no-owner', '--no-privileges', '--no-password', `--snapshot=${snapshot}`];
    if (format === 'directory') {
      await runTool({ ...dump, arguments: [...flags, '--format=directory', '--jobs=2', `--file=${file}`] });
      return { bytes: await folderSize(file) };
    }
    const sink = openSink(file, (bytes) => onProgress?.({ bytes, databaseBytes }));
    // Text is restored over what is there: the statements that make room for it must be in it.
    const form = format === 'sql' ? ['--format=plain', '--clean', '--if-exists'] : ['--format=custom'];
    await Promise.all([runTool({ ...dump, arguments: [...flags, ...form], output: sink.input }), sink.done]);
    return { bytes: sink.bytes(), sha256: sink.sha256() };
  }
}

interface Snapshot {
  readonly snapshot: string;
  readonly takenAt: string;
  rows(): Promise<RowCounts>;
}

/** Keeps one moment of a database open, for other connections and for counting. */
async function withSnapshot<T>(
  address: ReturnType<typeof parseDatabaseUrl>,
  options: ConnectOptions,
  work: (snapshot: Snapshot) => Promise<T>,
): Promise<T> {
  return await withConnection(
    address,
    async (connection: Connection) => {
      await liftTimeLimits(connection);
      await connection.unsafe('begin isolation level repeatable read read only');
      const [row] = await connection.unsafe<{ id: string; at: string }[]>(
        `select pg_export_snapshot() as id, to_char(now() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as at`,
      );
      if (row === undefined) throw new Error('The server answered without a row.');
      return await work({ snapshot: row.id, takenAt: row.at, rows: () => countRows(connection) });
    },
    options,
  );
}

// Counts and hashes what goes through on its way to the disk.
function openSink(path: string, onBytes: (bytes: number) => void) {
  const hash = createHash('sha256');
  let bytes = 0;
  const input = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      bytes += chunk.length;
      onBytes(bytes);
      done(null, chunk);
    },
  });
  const file = createWriteStream(path, { mode: 0o600, flush: true });
  file.once('error', (error) => input.destroy(error));
  input.once('error', (error) => file.destroy(error));
  input.pipe(file);
  const done = finished(file);
  // Whoever fails first is heard; the other one's end must not go unheard as a rejection of its own.
  done.catch(() => undefined);
  let digest: string | undefined;
  return { input: input as Writable, done, bytes: () => bytes, sha256: () => (digest ??= hash.digest('hex')) };
}

async function exists(path: string): Promise<boolean> {
  return await lstat(path).then(
    () => true,
    () => false,
  );
}

async function flush(path: string): Promise<void> {
  const file = await open(path, 'r+');
  await file.sync();
  await file.close();
}

async function folderSize(folder: string): Promise<number> {
  let bytes = 0;
  for (const name of await readdir(folder)) bytes += (await stat(join(folder, name))).size;
  return bytes;
}
