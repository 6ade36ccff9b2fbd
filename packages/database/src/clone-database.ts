import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type BackupProgress, backUp } from './back-up.ts';
import type { ConnectOptions } from './connect.ts';
import type { ToolOptions } from './postgres-tools.ts';
import { type Restored, restore } from './restore.ts';

/** How to copy a database. */
export interface CloneOptions extends ConnectOptions, ToolOptions {
  /** The database that becomes the same. Holds a password. */
  readonly to: string;
  /** A folder with room for the data on its way; what is put there is deleted. */
  readonly temporaryFolder: string;
  /** Replaces what is there. @defaultValue false: the target must have no tables */
  readonly replace?: boolean | undefined;
  /** Called as bytes are read. */
  readonly onProgress?: ((progress: BackupProgress) => void) | undefined;
}

/**
 * Copies what a database holds at one moment into another one, also on another server, in one transaction of the target,
 * and compares the rows of every table.
 *
 * @throws {DatabaseError}
 */
export async function cloneDatabase(from: string, options: CloneOptions): Promise<Restored> {
  const folder = await mkdtemp(join(options.temporaryFolder, 'systemprompt-clone-'));
  try {
    // Through the disk: a target that is slow or fails half-way keeps no transaction of the source open for hours.
    const { path } = await backUp(from, { ...options, path: join(folder, 'clone.dump'), format: 'custom' });
    return await restore(options.to, { ...options, path });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
