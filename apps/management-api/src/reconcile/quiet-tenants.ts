import { and, eq, inArray, notInArray } from 'drizzle-orm';
import type { Store } from '../store/database.ts';
import { releases, tenantOperations, tenants } from '../store/schema.ts';
import type { TenantRow } from '../tenants/tenants.ts';

/** The tenants to which nothing is being done now, the deleted too; of `ids` when they are given. */
export async function listQuietTenants(store: Store, ids?: readonly string[]): Promise<readonly TenantRow[]> {
  const { db } = store;
  const operating = db
    .select({ id: tenantOperations.tenantId })
    .from(tenantOperations)
    .where(eq(tenantOperations.status, 'open'));
  const deploying = db.select({ id: releases.tenantId }).from(releases).where(eq(releases.status, 'deploying'));
  return await db
    .select()
    .from(tenants)
    .where(
      and(
        ids === undefined ? undefined : inArray(tenants.id, [...ids]),
        notInArray(tenants.state, ['pending_payment', 'provisioning', 'deploying', 'rotating', 'deleting']),
        notInArray(tenants.id, operating),
        notInArray(tenants.id, deploying),
      ),
    );
}

/** Whether still nothing is being done to a tenant that was quiet, and it is as it was then. */
export async function isUnchanged(store: Store, tenant: TenantRow): Promise<boolean> {
  const [now] = await listQuietTenants(store, [tenant.id]);
  return (
    now?.state === tenant.state &&
    now.currentReleaseId === tenant.currentReleaseId &&
    now.databaseLogin === tenant.databaseLogin
  );
}
