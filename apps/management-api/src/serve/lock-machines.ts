import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { OperatorError } from '../commands/operator-error.ts';
import { type HeldLock, takeLock } from '../machines/lock-file.ts';
import { claimMachines, ownerFileOf } from '../machines/owner-file.ts';

/**
 * Takes the folder of this computer's machines: two processes that look after the same ones would end each other's.
 * @throws {OperatorError} SP_MACHINES_IN_USE
 */
export async function lockMachines(directory: string): Promise<HeldLock> {
  await mkdir(directory, { recursive: true });
  const lock = await takeLock(join(directory, '.lock'));
  if (!('holder' in lock)) {
    // Those that run on from a process that was killed end soon when nobody says that they are theirs.
    try {
      await claimMachines(ownerFileOf(directory));
    } catch (error) {
      await lock.release();
      throw error;
    }
    return lock;
  }
  throw new OperatorError(
    'SP_MACHINES_IN_USE',
    `The machines in ${directory} are looked after by process ${lock.holder.pid}`,
  );
}
