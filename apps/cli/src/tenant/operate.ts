import { CliError } from '../cli-error.ts';
import type { Context } from '../context.ts';

/** What a change is called. */
export interface OperateOptions {
  /** The step's name in events, such as `restart`. */
  readonly id: string;
  readonly title: string;
  /** Command lines that go on after a Ctrl-C. */
  readonly next: readonly string[];
}

/**
 * Runs one change with a line of progress. An answer with status `failed` is an error.
 *
 * @throws {CliError} `SP_CLI_OPERATION_FAILED`; `SP_CLI_INTERRUPTED` after a Ctrl-C, saying how to go on
 */
export async function operate<T extends { readonly status?: string; readonly message?: string | undefined }>(
  context: Context,
  { id, title, next }: OperateOptions,
  work: () => Promise<T>,
): Promise<T> {
  const step = context.progress.step(id, title);
  try {
    const answer = await work();
    if (answer.status === 'failed') {
      throw new CliError('SP_CLI_OPERATION_FAILED', `${title} failed: ${answer.message || 'the API does not say why'}`);
    }
    step.done();
    return answer;
  } catch (error) {
    step.fail();
    if (!context.signal.aborted) throw error;
    // The request is there; only the waiting has ended.
    throw new CliError('SP_CLI_INTERRUPTED', `Stopped waiting; what was asked for may go on in the cloud: ${title}`, {
      next,
    });
  }
}
