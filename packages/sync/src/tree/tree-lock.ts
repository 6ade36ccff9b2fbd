import { readFile, rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { kill, pid } from 'node:process';
import { setTimeout as delay } from 'node:timers/promises';
import lockfile from 'proper-lockfile';
import { SyncError, storageError, systemCode, throwIfAborted } from '../sync-error.ts';

/** A lock is taken over when its holder, killed on another computer, has not refreshed it for so long. */
const staleMs = 10_000;

/** The gate is held for milliseconds: whoever has it longer was killed. */
const gateStaleMs = 2000;

/**
 * Takes a lock that only one process has. One whose holder was killed on this computer is taken over at once: who holds it
 * is written beside it. All of this happens behind a gate, so nobody takes over what somebody else just got.
 *
 * @throws {@link SyncError} `SP_SYNC_LOCKED`, `SP_SYNC_ABORTED`, `SP_SYNC_STORAGE`
 */
export async function lockTree(
  path: string,
  { waitMs, signal }: { readonly waitMs: number; readonly signal: AbortSignal | undefined },
): Promise<() => Promise<void>> {
  const deadline = Date.now() + waitMs;
  for (;;) {
    throwIfAborted(signal);
    const gate = await tryLock(`${path}.gate`, gateStaleMs);
    if (gate !== undefined) {
      try {
        const release = await tryLockOrTakeOver(path);
        if (release !== undefined) return release;
      } finally {
        await gate();
      }
    }
    if (Date.now() >= deadline) {
      throw new SyncError('SP_SYNC_LOCKED', `Cannot sync ${path}: another process is at it`, { retryable: true });
    }
    await delay(gate === undefined ? 5 : 40, undefined, signal ? { signal } : {}).catch(() => {});
  }
}

async function tryLockOrTakeOver(path: string): Promise<(() => Promise<void>) | undefined> {
  const holder = `${path}.holder`;
  let release = await tryLock(path, staleMs);
  if (release === undefined && (await isDead(holder))) {
    await rm(`${path}.lock`, { recursive: true, force: true });
    release = await tryLock(path, staleMs);
  }
  if (release !== undefined) await writeFile(holder, `${pid} ${hostname()}\n`);
  return release;
}

async function tryLock(path: string, stale: number): Promise<(() => Promise<void>) | undefined> {
  try {
    const release = await lockfile.lock(path, { realpath: false, stale, onCompromised: () => {} });
    return () => release().catch(() => {});
  } catch (error) {
    if (systemCode(error) === 'ELOCKED') return undefined;
    throw storageError(path, error);
  }
}

async function isDead(holder: string): Promise<boolean> {
  const [id, host] = (await readFile(holder, 'utf8').catch(() => '')).trim().split(' ');
  // Another computer's, or container's, process cannot be asked.
  if (id === undefined || host !== hostname()) return false;
  try {
    kill(Number(id), 0);
    return false;
  } catch (error) {
    return systemCode(error) === 'ESRCH';
  }
}
