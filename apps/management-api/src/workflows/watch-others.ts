import { reconcile } from '../reconcile/reconcile.ts';
import type { Workflows } from './engine.ts';
import type { ExecutorLease } from './executor-lease.ts';
import { describeFailure } from './failure-class.ts';
import { resumeWork } from './resume-work.ts';
import { takeOverWorkflows } from './take-over.ts';
import type { WorkflowContext } from './workflow-context.ts';

// What a living process decided and could not tell the engine is looked for at every so many looks for ended processes.
const looksPerResume = 15;

/**
 * Looks for processes that have ended and takes over their work, and compares what the providers have with what the
 * database says: now, and then again and again. Returns what ends it.
 */
export function watchOthers(
  context: Omit<WorkflowContext, 'findTenantId'>,
  request: {
    readonly lease: ExecutorLease;
    readonly workflows: Workflows;
    readonly applicationVersion: string;
    readonly maxRecoveries: number;
    readonly takeOverIntervalMs: number;
    readonly reconcileIntervalMs: number;
  },
): () => Promise<void> {
  const { lease, workflows, applicationVersion, maxRecoveries, takeOverIntervalMs, reconcileIntervalMs } = request;
  const { store, logger, signal } = context;
  let looks = 0;

  const stopLooking = repeat(takeOverIntervalMs, 'the work of ended processes could not be taken over', async () => {
    looks += 1;
    const taken = await takeOverWorkflows({ store, lease, applicationVersion, maxRecoveries, logger });
    if (taken > 0 || looks % looksPerResume === 0) await resumeWork(context, workflows);
  });
  const compare = async (): Promise<void> => void (await reconcile(context, { repair: true, signal }));
  const stopComparing =
    reconcileIntervalMs === 0
      ? async () => {}
      : repeat(reconcileIntervalMs, 'providers and database could not be compared', compare, { now: true });
  return async () => {
    await Promise.all([stopLooking(), stopComparing()]);
  };

  // One at a time, however long it takes.
  function repeat(
    intervalMs: number,
    trouble: string,
    work: () => Promise<void>,
    { now = false }: { readonly now?: boolean } = {},
  ): () => Promise<void> {
    let running: Promise<void> | undefined;
    const once = async (): Promise<void> => {
      try {
        await work();
      } catch (error) {
        if (!signal.aborted) logger.warn({ reason: describeFailure(error) }, trouble);
      }
    };
    const begin = (): void => {
      running ??= once().finally(() => (running = undefined));
    };
    const timer = setInterval(begin, intervalMs);
    timer.unref();
    if (now) begin();
    return async () => {
      clearInterval(timer);
      await running;
    };
  }
}
