import { DBOS, Error as EngineErrors } from '@dbos-inc/dbos-sdk';
import { classifyFailure, describeFailure, isOutage, isRetried } from './failure-class.ts';
import { decideWait, tellOutage, tellReturn, waitUntil } from './outage.ts';
import { forever, StepFailed } from './step-failed.ts';
import type { StepBoundary, WorkflowContext } from './workflow-context.ts';

/** How one step is run. */
export interface StepOptions {
  readonly name: string;
  /** How often it is tried while its failures may pass: `transient`, `ambiguous` and `conflict`. @defaultValue 5 */
  readonly attempts?: number | undefined;
  /** Whether a provider that is away is waited for beyond these attempts. @defaultValue true */
  readonly patient?: boolean | undefined;
}

/**
 * Runs one step of a workflow: its result is recorded, a failure that may pass is tried again with growing pauses, one
 * that will not fails the step at once. While its provider is away the workflow waits, see
 * {@link WorkflowContext.outagePausesMs}, and the tenant's owner is told. A step is repeated as a whole, also after a
 * crash: whatever it calls looks up by the tenant's own markers what is there before it makes anything. What it returns
 * is stored in the workflow engine's tables: never a secret.
 * @throws {StepFailed}
 */
export async function runStep<T>(context: WorkflowContext, options: StepOptions, work: () => Promise<T>): Promise<T> {
  const { name, attempts = 5, patient = true } = options;
  const part = (what: string, attempt: () => Promise<void>): Promise<void> =>
    tryStep(context, { name: `${name}: ${what}`, attempts }, attempt);
  let told: string | undefined;
  for (let pause = 0; ; pause += 1) {
    try {
      const result = await tryStep(context, { name, attempts: pause === 0 ? attempts : 1 }, work);
      if (told !== undefined) await tellReturn(context, { part, told });
      return result;
    } catch (error) {
      if (!(error instanceof StepFailed) || !error.outage || !patient) throw error;
      const until = await decideWait(context, { step: name, pauseMs: context.outagePausesMs[pause] });
      if (until === null) throw error;
      told ??= await tellOutage(context, { part, reason: error.reason });
      await waitUntil(context, until);
    }
  }
}

async function tryStep<T>(
  context: WorkflowContext,
  options: { readonly name: string; readonly attempts: number },
  work: () => Promise<T>,
): Promise<T> {
  const { name, attempts } = options;
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
      throw new StepFailed(reason, { failureClass, outage: isOutage(error) });
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

function isEngineDecision(error: unknown): boolean {
  return (
    error instanceof EngineErrors.DBOSWorkflowConflictError ||
    error instanceof EngineErrors.DBOSWorkflowCancelledError ||
    error instanceof EngineErrors.DBOSUnexpectedStepError
  );
}

function lastFailure(step: string, error: unknown): StepFailed {
  const attempts = error instanceof Error && 'errors' in error && Array.isArray(error.errors) ? error.errors : [error];
  // One that comes out of the engine's tables is a StepFailed no more, but has its members: what follows from a failure
  // must be the same after a crash.
  const last = attempts.at(-1) as { readonly message?: unknown; readonly outage?: unknown } | undefined;
  const reason = typeof last?.message === 'string' ? last.message : 'unknown failure';
  return new StepFailed(`${step}: ${reason}`, { outage: last?.outage === true });
}
