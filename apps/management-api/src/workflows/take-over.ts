import { DBOS } from '@dbos-inc/dbos-sdk';
import type { Logger } from 'pino';
import type { ExecutorLease } from './executor-lease.ts';

/**
 * Takes over the workflows of processes that have ended; how many there were. One that only seemed to have ended does
 * no harm: the engine lets it record no further step.
 */
export async function takeOverWorkflows(request: {
  readonly lease: ExecutorLease;
  readonly applicationVersion: string;
  readonly logger: Pick<Logger, 'info'>;
}): Promise<number> {
  const { lease, applicationVersion, logger } = request;
  const listPending = async (executorId?: string) =>
    await DBOS.listWorkflows({
      status: 'PENDING',
      applicationVersion,
      loadInput: false,
      loadOutput: false,
      ...(executorId === undefined ? {} : { executorId }),
    });
  let count = 0;
  for (const executorId of new Set((await listPending()).map((workflow) => workflow.executorId))) {
    if (executorId === undefined) continue;
    await lease.whileEnded(executorId, async () => {
      // Again, now that nobody else takes them: another process may have been first.
      const left = (await listPending(executorId)).map(({ workflowID }) => workflowID);
      if (left.length === 0) return;
      await DBOS.resumeWorkflows(left);
      count += left.length;
      logger.info({ executor: executorId, workflows: left.length }, 'took over the work of a process that has ended');
    });
  }
  return count;
}
