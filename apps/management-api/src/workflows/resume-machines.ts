import { eq, isNotNull } from 'drizzle-orm';
import { releases, tenants } from '../store/schema.ts';
import { machineSpec } from './machine-spec.ts';
import type { WorkflowContext } from './workflow-context.ts';

const atOnce = 4;

/**
 * Sees to it that the machine of every tenant's current release runs, and notes where it answers now. One that cannot be
 * started is logged and left: the others must not wait for it.
 */
export async function resumeMachines(
  context: Pick<WorkflowContext, 'store' | 'vault' | 'databases' | 'machines' | 'logger' | 'signal'>,
): Promise<void> {
  const { store, machines, logger, signal } = context;
  const rows = await store.db
    .select({ release: releases, tenant: tenants })
    .from(tenants)
    .innerJoin(releases, eq(releases.id, tenants.currentReleaseId))
    .where(isNotNull(tenants.currentReleaseId));
  const waiting = rows.filter(({ tenant }) => ['running', 'deploying', 'rotating'].includes(tenant.state));

  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const { release, tenant } = next;
      try {
        signal.throwIfAborted();
        // One that runs needs nothing but its address: what a machine is made of is not asked for in vain.
        const found = await machines.find(tenant.appName, release.id);
        const machine =
          found?.state === 'running'
            ? found
            : await machines.start(await machineSpec(context, { tenant, release }), { signal });
        if (machine.id === release.machineId && (machine.address ?? null) === release.address) continue;
        await store.db
          .update(releases)
          .set({ machineId: machine.id, address: machine.address ?? null })
          .where(eq(releases.id, release.id));
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        logger.error({ tenant: tenant.id, release: release.id, reason }, 'a machine could not be started again');
      }
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
}
