import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { type BackupDescription, type BackupFormat, findDescription } from './backup-description.ts';
import { DatabaseError } from './database-error.ts';
import { readHead } from './dump-origin.ts';

/** A backup as it lies on disk. */
export interface StoredBackup {
  /** Absolute. */
  readonly path: string;
  /** Told by what is on disk. */
  readonly format: BackupFormat;
  /** Absent for backups that other programs made. */
  readonly description: BackupDescription | undefined;
}

/**
 * Looks at a backup without a server: that it is there, of what form it is, and, when it has a description, that not a
 * byte of it has changed.
 * @throws {DatabaseError} SP_DATABASE_BACKUP_NOT_FOUND, SP_DATABASE_BACKUP_UNSUITABLE, SP_DATABASE_BACKUP_DAMAGED
 */
export async function checkBackup(
  path: string,
  options: { readonly signal?: AbortSignal | undefined } = {},
): Promise<StoredBackup> {
  const backup = resolve(path);
  const found = await stat(backup).catch(() => undefined);
  if (found === undefined) {
    throw new DatabaseError('SP_DATABASE_BACKUP_NOT_FOUND', `There is no backup at ${backup}`, { path: backup });
  }
  const description = await findDescription(backup);
  const format = found.isDirectory() ? 'directory' : await fileFormat(backup);
  const damaged = (problem: string): DatabaseError =>
    new DatabaseError('SP_DATABASE_BACKUP_DAMAGED', `The backup ${backup} is damaged: ${problem}`, { path: backup });
  if (format === 'directory' || description === undefined) return { path: backup, format, description };
  if (found.size !== description.bytes) {
    throw damaged(`it has ${found.size} bytes and should have ${description.bytes}`);
  }
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(backup, options)) hash.update(chunk as Buffer);
  if (description.sha256 !== undefined && hash.digest('hex') !== description.sha256)
    throw damaged('its content was changed');
  return { path: backup, format, description };
}

async function fileFormat(path: string): Promise<BackupFormat> {
  const head = await readHead(path, 512);
  if (head.toString('latin1', 0, 5) === 'PGDMP') return 'custom';
  const other = foreign.find(({ at, bytes }) => head.subarray(at, at + bytes.length).equals(Buffer.from(bytes)));
  if (other === undefined) return 'sql';
  throw new DatabaseError(
    'SP_DATABASE_BACKUP_UNSUITABLE',
    `The backup ${path} cannot be restored: it is ${other.what}`,
    {
      path,
    },
  );
}

// What dumps are made into on their way: psql would complain about the first bytes of it.
const foreign = [
  { what: 'compressed by gzip', at: 0, bytes: [0x1f, 0x8b] },
  { what: 'compressed by zstd', at: 0, bytes: [0x28, 0xb5, 0x2f, 0xfd] },
  { what: 'compressed by xz', at: 0, bytes: [0xfd, 0x37, 0x7a, 0x58, 0x5a] },
  { what: 'compressed by bzip2', at: 0, bytes: [0x42, 0x5a, 0x68] },
  { what: 'a zip archive', at: 0, bytes: [0x50, 0x4b, 0x03, 0x04] },
  { what: 'a tar archive', at: 257, bytes: [0x75, 0x73, 0x74, 0x61, 0x72] },
  { what: 'text in UTF-16, and Postgres reads UTF-8', at: 0, bytes: [0xff, 0xfe] },
  { what: 'text in UTF-16, and Postgres reads UTF-8', at: 0, bytes: [0xfe, 0xff] },
] as const;
