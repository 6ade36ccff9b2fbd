import { CliError } from '../cli-error.ts';
import { defaultDataDirectory } from './data-directory.ts';
import { findLocalCloud } from './state.ts';

/**
 * The API that `--environment` names: for `local` the URL of the local cloud that runs now, else the name or URL itself.
 *
 * @throws {CliError} `SP_CLI_LOCAL_NOT_RUNNING`
 */
export async function resolveLoginEnvironment(
  environment: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<string> {
  if (environment !== 'local') return environment;
  const directory = env['SYSTEMPROMPT_LOCAL_DATA_DIR'] || defaultDataDirectory(env);
  const state = await findLocalCloud(directory);
  if (state !== undefined) return state.url;
  throw new CliError('SP_CLI_LOCAL_NOT_RUNNING', `No local cloud runs on ${directory}`, { directory });
}
