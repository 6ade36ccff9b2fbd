import { DBOS, Error as EngineErrors } from '@dbos-inc/dbos-sdk';
import type { FailureClass } from '../ports/failure.ts';
import { classifyFailure, describeFailure, isRetried } from './failure-class.ts';
import type { StepBoundary, WorkflowContext } from './workflow-context.ts';

/** A step that failed for good; `reason` is one line for the tenant's owner. */
export class StepFailed extends Error {
  override readonly name = 'StepFailed';
  readonly reason: string;
  readonly failureClass: FailureClass;

  constructor(reason: string, failureClass: FailureClass = 'permanent') {
    super(reason);
    this.reason = reason;
    this.failureClass = failureClass;
  }
}

/** How one step is run. */
export interface StepOptions {
  readonly name: string;
  /** How often it is tried while its failures may pass: `transient`, `ambiguous` and `conflict`. @defaultValue 5 */
  readonly attempts?: number | undefined;
}

/**
 * Runs one step of a workflow: its result is recorded, a failure that may pass is tried again with growing pauses, one
 * that will not fails the step at once. A step is repeated as a whole, also after a crash: whatever it calls looks up by
 * the tenant's own markers what is there before it makes anything. What it returns is stored in the workflow engine's
 * tables: never a secret.
 * @throws {StepFailed}
 */
export async function runStep<T>(context: WorkflowContext, options: StepOptions, work: () => Promise<T>): Promise<T> {
  const { name, attempts = 5 } = options;
  const { signal, logger } = context;
  const reach = async (moment: StepBoundary['moment']): Promise<void> =>
    await context.onBoundary?.({ workflowId: DBOS.workflowID ?? '', step: name, moment });
  const attempt = async (): Promise<T> => {
    if (signal.aborted) return await forever();
    try {
      await reach('before');
      // What somebody else does now must not be done or undone here. The engine refuses the result anyway, but too late.
      if (!(await context.ownsWorkflow(DBOS.workflowID ?? ''))) return await forever();
      const result = await work();
      await reach('after');
      return signal.aborted ? await forever() : result;
    } catch (error) {
      // An interrupted step has not failed: whoever starts next runs it again.
      if (signal.aborted) return await forever();
      const failureClass = classifyFailure(error);
      const reason = describeFailure(error);
      logger.warn({ step: name, workflow: DBOS.workflowID, failureClass, reason }, 'a step of a workflow failed');
      // The engine stores what is thrown. Database errors carry their parameters, so none goes through as it is.
      throw new StepFailed(reason, failureClass);
    }
  };
  let result: T;
  try {
    result = await DBOS.runStep(attempt, {
      name,
      retriesAllowed: attempts > 1,
      maxAttempts: attempts,
      intervalSeconds: context.retryIntervalMs / 1000,
      backoffRate: 2,
      shouldRetry: (error) => error instanceof StepFailed && isRetried(error.failureClass),
    });
  } catch (error) {
    if (signal.aborted) return await forever();
    // Another process has taken the workflow over, or it was canceled: that is no failure of the step, and the engine
    // must see it, or this process would go on to undo what the other one does.
    if (isEngineDecision(error)) throw error;
    throw lastFailure(name, error);
  }
  await reach('recorded');
  return result;
}

// A promise that never settles leaves the workflow as it is; the process ends or drops it.
function forever(): Promise<never> {
  return new Promise(() => {});
}

function isEngineDecision(error: unknown): boolean {
  return (
    error instanceof EngineErrors.DBOSWorkflowConflictError ||
    error instanceof EngineErrors.DBOSWorkflowCancelledError ||
    error instanceof EngineErrors.DBOSUnexpectedStepError
  );
}

function lastFailure(step: string, error: unknown): StepFailed {
  const attempts = error instanceof Error && 'errors' in error && Array.isArray(error.errors) ? error.errors : [error];
  // One that comes out of the engine's tables is a StepFailed no more, but has its message.
  const last = attempts.at(-1) as { readonly message?: unknown } | undefined;
  const reason = typeof last?.message === 'string' ? last.message : 'unknown failure';
  return new StepFailed(`${step}: ${reason}`, last instanceof StepFailed ? last.failureClass : 'permanent');
}
