import { eq } from 'drizzle-orm';
import type { Store } from '../store/database.ts';
import { tenants } from '../store/schema.ts';
import type { Workflows } from '../workflows/engine.ts';

/**
 * Starts provisioning for every tenant that is paid for and not there yet: the process may have died between the two.
 * For one that is under way this changes nothing.
 */
export async function resumePaidTenants(ports: {
  readonly store: Store;
  readonly workflows: Pick<Workflows, 'startProvisioning'>;
}): Promise<void> {
  const rows = await ports.store.db.select({ id: tenants.id }).from(tenants).where(eq(tenants.state, 'provisioning'));
  for (const { id } of rows) await ports.workflows.startProvisioning(id);
}
