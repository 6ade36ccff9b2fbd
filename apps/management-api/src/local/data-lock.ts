import { randomBytes } from 'node:crypto';
import { link, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isAlive, processStartTime } from '../machines/process-life.ts';
import { findFile, replaceFile } from './atomic-file.ts';
import { LocalCloudError } from './local-cloud-error.ts';
import { readLocalCloudFile } from './local-cloud-file.ts';

/**
 * Takes a data folder for this process; the lock of a process that is gone does not count.
 * @throws {LocalCloudError} SP_LOCAL_ALREADY_RUNNING
 */
export async function lockDataFolder(dataDir: string): Promise<{ release(): Promise<void> }> {
  const path = join(dataDir, 'local-cloud.lock');
  const startTime = (await processStartTime(process.pid)) ?? '';
  const own = `${path}.${randomBytes(6).toString('hex')}`;
  await replaceFile(own, JSON.stringify({ pid: process.pid, start_time: startTime }));
  try {
    while (true) {
      try {
        // A link, unlike a rename, never replaces: of two processes one succeeds.
        await link(own, path);
        return { release: () => rm(path, { force: true }) };
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      }
      const holder = parseHolder((await findFile(path))?.toString('utf8'));
      if (holder !== undefined && (await isAlive(holder))) {
        const url = (await readLocalCloudFile(dataDir))?.url;
        throw new LocalCloudError('SP_LOCAL_ALREADY_RUNNING', {
          pid: holder.pid,
          url,
          path: dataDir,
          message: `The data folder ${dataDir} is in use by process ${holder.pid}`,
        });
      }
      await rm(path, { force: true });
    }
  } finally {
    await rm(own, { force: true });
  }
}

function parseHolder(text: string | undefined): { pid: number; startTime: string } | undefined {
  try {
    const value = JSON.parse(text ?? '') as { pid?: unknown; start_time?: unknown } | null;
    if (typeof value?.pid !== 'number' || typeof value.start_time !== 'string') return undefined;
    return { pid: value.pid, startTime: value.start_time };
  } catch {
    return undefined;
  }
}
