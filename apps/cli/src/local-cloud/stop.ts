import { setTimeout as delay } from 'node:timers/promises';
import { CliError } from '../cli-error.ts';
import { isServer, type LocalCloudState } from './state.ts';

/**
 * Stops a local cloud and waits until it is gone.
 *
 * @throws {CliError} `SP_CLI_LOCAL_TIMEOUT` when it does not stop.
 */
export async function stopLocalCloud(
  { pid }: LocalCloudState,
  options: {
    /** @defaultValue 60_000 */
    timeoutMs?: number;
    signal?: AbortSignal;
  } = {},
): Promise<void> {
  const { timeoutMs = 60_000, signal } = options;
  // It may have ended by itself just now.
  if (await isServer(pid)) process.kill(pid, 'SIGTERM');
  for (const deadline = Date.now() + timeoutMs; await isServer(pid); ) {
    if (Date.now() > deadline) {
      throw new CliError('SP_CLI_LOCAL_TIMEOUT', `The local cloud (pid ${pid}) did not stop in ${timeoutMs / 1000} s`);
    }
    await delay(100, undefined, { signal });
  }
}
