import { CliError } from '../cli-error.ts';
import type { Context } from '../context.ts';

/**
 * Runs one change with a line of progress. An answer with status `failed` is an error.
 *
 * @throws {CliError} `SP_CLI_OPERATION_FAILED`
 */
export async function operate<T extends { readonly status?: string; readonly message?: string | undefined }>(
  context: Context,
  title: string,
  work: () => Promise<T>,
): Promise<T> {
  const step = await context.progress.step(title);
  try {
    const answer = await work();
    if (answer.status === 'failed') {
      throw new CliError('SP_CLI_OPERATION_FAILED', `${title} failed: ${answer.message || 'the API does not say why'}`);
    }
    step.done();
    return answer;
  } catch (error) {
    step.fail();
    throw error;
  }
}
