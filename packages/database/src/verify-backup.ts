import { checkBackup } from './check-backup.ts';
import type { ConnectOptions } from './connect.ts';
import { DatabaseError } from './database-error.ts';
import type { ToolOptions } from './postgres-tools.ts';
import { type Restored, restore } from './restore.ts';
import { withScratchDatabase } from './scratch-database.ts';

/** How to verify a backup. */
export interface VerifyOptions extends ConnectOptions, ToolOptions {
  /** Any database of a server where the role may make databases; what it holds is not touched. Holds a password. */
  readonly serverUrl: string;
}

/**
 * Proves that a backup can be restored: restores it into a database that is made for this and dropped afterwards, and
 * compares the rows of every table with those at the time of the backup.
 * @throws {DatabaseError} SP_DATABASE_BACKUP_DAMAGED, SP_DATABASE_ROWS_DIFFER and those of {@link restore}
 */
export async function verifyBackup(path: string, options: VerifyOptions): Promise<Restored> {
  const { serverUrl, signal } = options;
  const backup = await checkBackup(path, { signal });
  if (backup.description === undefined) {
    const message = `The backup ${backup.path} has no description to compare with: it was made by another program`;
    throw new DatabaseError('SP_DATABASE_BACKUP_DAMAGED', message, { path: backup.path });
  }
  return await withScratchDatabase(serverUrl, (url) => restore(url, { ...options, path: backup.path }), options);
}
