import { and, asc, eq, isNotNull } from 'drizzle-orm';
import { tenants, workflowRecoveries } from '../store/schema.ts';
import { whyGivenUp } from '../workflows/recoveries.ts';
import type { Difference } from './finding.ts';
import type { ReconcileDeps } from './reconcile.ts';

/** Workflows that ended every process that tried them, while that is still the last that is known of their tenants. */
export async function* listGivenUp({ store }: Pick<ReconcileDeps, 'store'>): AsyncGenerator<Difference> {
  const rows = await store.db
    .select({ subject: workflowRecoveries.workflowId, tenantId: tenants.id, failure: tenants.failure })
    .from(workflowRecoveries)
    .innerJoin(tenants, eq(tenants.id, workflowRecoveries.tenantId))
    .where(and(isNotNull(workflowRecoveries.givenUpAt), isNotNull(tenants.failure)))
    .orderBy(asc(workflowRecoveries.givenUpAt));
  for (const { subject, tenantId, failure } of rows) {
    if (failure === (await whyGivenUp(store, subject))) yield { kind: 'workflow_given_up', tenantId, subject };
  }
}
