import { join } from 'node:path';
import { takeLock } from '../machines/lock-file.ts';
import { LocalCloudError } from './local-cloud-error.ts';
import { readLocalCloudFile } from './local-cloud-file.ts';

/**
 * Takes a data folder for this process; the lock of a process that is gone does not count.
 * @throws {LocalCloudError} SP_LOCAL_ALREADY_RUNNING
 */
export async function lockDataFolder(dataDir: string): Promise<{ release(): Promise<void> }> {
  const lock = await takeLock(join(dataDir, 'local-cloud.lock'));
  if (!('holder' in lock)) return lock;
  const { pid } = lock.holder;
  throw new LocalCloudError('SP_LOCAL_ALREADY_RUNNING', {
    pid,
    url: (await readLocalCloudFile(dataDir))?.url,
    path: dataDir,
    message: `The data folder ${dataDir} is in use by process ${pid}`,
  });
}
