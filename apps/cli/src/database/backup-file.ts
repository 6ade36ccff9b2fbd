import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { BackupFormat } from '@sp/database';

const endings: Readonly<Record<BackupFormat, string>> = { custom: 'dump', sql: 'sql', directory: 'dir' };

/**
 * Where a backup goes when nobody says so.
 *
 * @example
 * backupFile({ cwd: '/site', name: 'hello', format: 'custom', now }); // '/site/backups/hello-2026-11-22-093000.dump'
 */
export function backupFile(options: {
  readonly cwd: string;
  /** Of the profile or tenant. */
  readonly name: string;
  readonly format: BackupFormat;
  readonly now: Date;
}): string {
  const { cwd, name, format, now } = options;
  const [day = '', time = ''] = now.toISOString().split('T');
  const plain = name.replaceAll(/[^\w.-]+/g, '-');
  return join(cwd, 'backups', `${plain}-${day}-${time.slice(0, 8).replaceAll(':', '')}.${endings[format]}`);
}

/** The same, in a folder that is made so that nobody commits what is in a database. */
export async function makeBackupFile(options: Parameters<typeof backupFile>[0]): Promise<string> {
  const path = backupFile(options);
  const folder = dirname(path);
  // One that was there is the person's own, and so is what git shall see of it.
  const made = await mkdir(folder, { recursive: true });
  if (made !== undefined) await writeFile(join(folder, '.gitignore'), '*\n');
  return path;
}
