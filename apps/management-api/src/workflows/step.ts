import { DBOS } from '@dbos-inc/dbos-sdk';
import type { WorkflowContext } from './workflow-context.ts';

/** A step that failed for good; `reason` is one line for the tenant's owner. */
export class StepFailed extends Error {
  override readonly name = 'StepFailed';
  readonly reason: string;

  constructor(reason: string) {
    super(reason);
    this.reason = reason;
  }
}

/** How one step is run. */
export interface StepOptions {
  readonly name: string;
  /** How often it is tried. @defaultValue 5 */
  readonly attempts?: number | undefined;
}

/**
 * Runs one step of a workflow: its result is recorded, a failure is tried again. What it returns is stored in the
 * workflow engine's tables: never a secret.
 */
export async function runStep<T>(context: WorkflowContext, options: StepOptions, work: () => Promise<T>): Promise<T> {
  const { name, attempts = 5 } = options;
  const { signal, logger } = context;
  const attempt = async (): Promise<T> => {
    if (signal.aborted) return await forever();
    try {
      const result = await work();
      return signal.aborted ? await forever() : result;
    } catch (error) {
      // An interrupted step has not failed: whoever starts next runs it again.
      if (signal.aborted) return await forever();
      const reason = reasonOf(error);
      logger.warn({ step: name, workflow: DBOS.workflowID, reason }, 'a step of a workflow failed');
      // The engine stores what is thrown. Database errors carry their parameters, so none goes through as it is.
      throw new StepFailed(reason);
    }
  };
  try {
    return await DBOS.runStep(attempt, {
      name,
      retriesAllowed: attempts > 1,
      maxAttempts: attempts,
      intervalSeconds: context.retryIntervalMs / 1000,
      backoffRate: 2,
    });
  } catch (error) {
    if (signal.aborted) return await forever();
    throw new StepFailed(`${name}: ${lastReason(error)}`);
  }
}

// A promise that never settles leaves the workflow as it is; the process ends or drops it.
function forever(): Promise<never> {
  return new Promise(() => {});
}

function reasonOf(error: unknown): string {
  let innermost = error;
  while (innermost instanceof Error && innermost.cause instanceof Error) innermost = innermost.cause;
  const message = innermost instanceof Error ? innermost.message : 'unknown failure';
  return message.split('\n')[0] ?? message;
}

function lastReason(error: unknown): string {
  const attempts = error instanceof Error && 'errors' in error && Array.isArray(error.errors) ? error.errors : [error];
  return reasonOf(attempts.at(-1));
}
