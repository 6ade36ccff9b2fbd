import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { fileFailure, PrivateFileError, systemCode } from './private-file-error.ts';
import { throwIfAborted } from './private-file-options.ts';

/** A lock is taken over when its holder has not refreshed it for so long, that is when the holder was killed. */
const staleMs = 10_000;

/** A held lock. */
export interface FileLock {
  /** False once another process has taken the lock over, for instance after the computer slept. */
  isHeld(): boolean;
  release(): Promise<void>;
}

/** Takes the lock `<path>.lock`, which every process that updates the file takes. */
export async function lockFile(
  path: string,
  options: { readonly timeoutMs: number; readonly signal?: AbortSignal | undefined },
): Promise<FileLock> {
  const { timeoutMs, signal } = options;
  // Loaded here and not at the top: it patches `fs.close` and hooks the process's exit signals.
  const { default: lockfile } = await import('proper-lockfile');
  const deadline = performance.now() + timeoutMs;
  for (let attempt = 0; ; attempt += 1) {
    throwIfAborted(path, signal);
    let held = true;
    try {
      // No realpath: the file need not exist yet. A lost lock is asked for below; the default is to crash the process.
      const onCompromised = (): void => {
        held = false;
      };
      const release = await lockfile.lock(path, { realpath: false, stale: staleMs, onCompromised });
      return {
        isHeld: () => held,
        // Fails only when the lock is no longer ours, and then there is nothing to release.
        release: () => release().catch(() => undefined),
      };
    } catch (error) {
      if (systemCode(error) !== 'ELOCKED') throw fileFailure('SP_FILE_UNWRITABLE', path, error);
      const left = deadline - performance.now();
      if (left <= 0) throw locked(path, 'another process is writing it');
      // Jitter keeps a crowd of waiters from asking in step.
      const pause = Math.min(left, 10 + Math.random() * Math.min(250, 25 * (attempt + 1)));
      await delay(pause, undefined, signal ? { signal } : {}).catch(() => undefined);
    }
  }
}

/** The lock cannot be had, or was lost. */
export function locked(path: string, why: string): PrivateFileError {
  return new PrivateFileError('SP_FILE_LOCKED', `Cannot update ${path}: ${why}`, { path });
}
