import { readFile } from 'node:fs/promises';
import { DatabaseError } from './database-error.ts';
import type { RowCounts } from './list-tables.ts';

/** Which form a backup has: `custom` is one compressed file, `sql` text, `directory` a folder with a file per table. */
export type BackupFormat = 'custom' | 'sql' | 'directory';

/** What a backup holds. Written beside it, as `<path>.json`. */
export interface BackupDescription {
  /** Which form it has. */
  readonly format: BackupFormat;
  /** Name of the database that it is of. */
  readonly database: string;
  /** Of the server that it is from, for example `18.4`. */
  readonly serverVersion: string;
  /** When the state was taken, ISO 8601. */
  readonly takenAt: string;
  /** Of the file, or of all files of the folder. */
  readonly bytes: number;
  /** Of the file; absent for a folder. */
  readonly sha256?: string | undefined;
  /** Rows of each table at that moment, by `schema.table`. */
  readonly rows: RowCounts;
}

/** Where the description of a backup is. */
export function descriptionPath(path: string): string {
  return `${path.replace(/[/\\]+$/, '')}.json`;
}

/** The description as it is on disk. */
export function serializeDescription(description: BackupDescription): string {
  const { format, database, serverVersion, takenAt, bytes, sha256, rows } = description;
  const members = { format, database, server_version: serverVersion, taken_at: takenAt, bytes, sha256, rows };
  return `${JSON.stringify(members, null, 2)}\n`;
}

/**
 * Reads the description of a backup; `undefined` when it has none, as those of other programs.
 * @throws {DatabaseError} SP_DATABASE_BACKUP_DAMAGED
 */
export async function findDescription(path: string): Promise<BackupDescription | undefined> {
  const file = descriptionPath(path);
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (text === undefined) return undefined;
  const description = parseDescription(text);
  if (description !== undefined) return description;
  throw new DatabaseError('SP_DATABASE_BACKUP_DAMAGED', `The description of the backup cannot be read: ${file}`, {
    path: file,
  });
}

function parseDescription(text: string): BackupDescription | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isRecord(value)) return undefined;
  const { format, database, server_version: serverVersion, taken_at: takenAt, bytes, sha256, rows } = value;
  const known = format === 'custom' || format === 'sql' || format === 'directory';
  if (!known || typeof database !== 'string' || typeof serverVersion !== 'string') return undefined;
  if (typeof takenAt !== 'string' || typeof bytes !== 'number' || !isRecord(rows)) return undefined;
  if (sha256 !== undefined && typeof sha256 !== 'string') return undefined;
  const counts = Object.entries(rows);
  if (!counts.every((entry): entry is [string, number] => typeof entry[1] === 'number')) return undefined;
  return { format, database, serverVersion, takenAt, bytes, sha256, rows: Object.fromEntries(counts) };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
