import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { type BackupDescription, type BackupFormat, findDescription } from './backup-description.ts';
import { DatabaseError } from './database-error.ts';

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
 * @throws {DatabaseError} SP_DATABASE_BACKUP_NOT_FOUND, SP_DATABASE_BACKUP_DAMAGED
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
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(5), 0, 5, 0);
    return buffer.subarray(0, bytesRead).toString('latin1') === 'PGDMP' ? 'custom' : 'sql';
  } finally {
    await file.close();
  }
}
