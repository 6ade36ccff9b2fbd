import { DBOS } from '@dbos-inc/dbos-sdk';
import type { Logger } from 'pino';
import type { Store } from '../store/database.ts';
import type { ExecutorLease } from './executor-lease.ts';
import { markGivenUp, sortLeft } from './recoveries.ts';

/**
 * Takes over the workflows of processes that have ended, and gives up those that end every process that tries them; how
 * many there were. A process that only seemed to have ended does no harm: the engine lets it record no further step.
 */
export async function takeOverWorkflows(request: {
  readonly store: Store;
  readonly lease: ExecutorLease;
  readonly applicationVersion: string;
  /** How often in a row a workflow may be under way, without getting further, when its process ends. */
  readonly maxRecoveries: number;
  readonly logger: Pick<Logger, 'info' | 'error'>;
}): Promise<number> {
  const { store, lease, applicationVersion, maxRecoveries, logger } = request;
  let touched = 0;
  for (const executorId of new Set((await listPending(applicationVersion)).map((workflow) => workflow.executorId))) {
    if (executorId === undefined) continue;
    await lease.whileEnded(executorId, async () => {
      // Again, now that nobody else takes them: another process may have been first.
      const left = (await listPending(applicationVersion, executorId)).map(({ workflowID }) => workflowID);
      if (left.length === 0) return;
      const { resume, giveUp } = await sortLeft(store, { executorId, workflowIds: left, maxRecoveries });
      if (giveUp.length > 0) {
        await markGivenUp(store, giveUp);
        await DBOS.cancelWorkflows([...giveUp]);
        logger.error({ executor: executorId, workflows: giveUp }, 'gave up work that ends every process that tries it');
      }
      if (resume.length > 0) {
        await DBOS.resumeWorkflows([...resume]);
        const facts = { executor: executorId, workflows: resume.length };
        logger.info(facts, 'took over the work of a process that has ended');
      }
      touched += resume.length + giveUp.length;
    });
  }
  return touched;
}

/** What is under way, of all processes or of one. */
export async function listPending(applicationVersion: string, executorId?: string) {
  return await DBOS.listWorkflows({
    status: 'PENDING',
    applicationVersion,
    loadInput: false,
    loadOutput: false,
    ...(executorId === undefined ? {} : { executorId }),
  });
}
