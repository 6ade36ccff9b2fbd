import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { CliError } from '../cli-error.ts';
import { findLocalCloud } from './state.ts';
import { stopLocalCloud } from './stop.ts';

/**
 * Stops the local cloud of `dataDirectory` and deletes it. A folder that holds none is not touched.
 *
 * @returns whether there was one
 * @throws {CliError} `SP_CLI_LOCAL_NOT_INSTALLED`, `SP_CLI_LOCAL_TIMEOUT`
 */
export async function resetLocalCloud(dataDirectory: string, signal: AbortSignal): Promise<boolean> {
  const exists = async (name: string): Promise<boolean> =>
    access(join(dataDirectory, name)).then(
      () => true,
      () => false,
    );
  // Whatever `--data-dir` names would be deleted: only what a local cloud has made is.
  if (!(await exists('postgres')) && !(await exists('local-cloud.json'))) return false;
  const running = await findLocalCloud(dataDirectory);
  if (running !== undefined) await stopLocalCloud(running, { signal });
  const { removeLocalCloud } = await import('@sp/management-api').catch(() => {
    throw new CliError('SP_CLI_LOCAL_NOT_INSTALLED', 'The package @sp/management-api is not installed');
  });
  await removeLocalCloud({ dataDir: dataDirectory });
  return true;
}
