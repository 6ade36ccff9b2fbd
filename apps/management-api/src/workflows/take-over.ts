import { setTimeout as delay } from 'node:timers/promises';
import { DBOS } from '@dbos-inc/dbos-sdk';
import type { Logger } from 'pino';
import type { Store } from '../store/database.ts';
import type { ExecutorLease } from './executor-lease.ts';
import { describeFailure } from './failure-class.ts';
import { handOver, markGivenUp, sortLeft } from './recoveries.ts';

const noteLimitMs = 3000;

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

/**
 * Notes what a process that ends in good order leaves to others. Not noted in time it counts like a crash: the engine asks
 * a database that is away again and again, and nobody waits for that.
 */
export async function leaveInOrder(request: {
  readonly store: Store;
  readonly executorId: string;
  readonly applicationVersion: string;
  readonly logger: Pick<Logger, 'warn'>;
}): Promise<void> {
  const { store, executorId, applicationVersion, logger } = request;
  const note = async (): Promise<void> => {
    const left = await listPending(applicationVersion, executorId);
    await handOver(store, { executorId, workflowIds: left.map(({ workflowID }) => workflowID) });
  };
  const late = delay(noteLimitMs, undefined, { ref: false }).then(() => {
    throw new Error('the database did not answer in time');
  });
  try {
    await Promise.race([note(), late]);
  } catch (error) {
    logger.warn({ reason: describeFailure(error) }, 'what is left to others could not be noted');
  } finally {
    late.catch(() => {});
  }
}

/** What is under way, of all processes or of one. */
async function listPending(applicationVersion: string, executorId?: string) {
  return await DBOS.listWorkflows({
    status: 'PENDING',
    applicationVersion,
    loadInput: false,
    loadOutput: false,
    ...(executorId === undefined ? {} : { executorId }),
  });
}
