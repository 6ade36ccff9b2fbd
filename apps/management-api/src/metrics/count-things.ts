import { count } from 'drizzle-orm';
import type { Store } from '../store/database.ts';
import { releases, tenantOperations, tenants } from '../store/schema.ts';

/** So many of one sort. */
export interface Counted {
  readonly labels: Readonly<Record<string, string>>;
  readonly count: number;
}

/** How many tenants, deploys and operations there are, by state and outcome. */
export async function countThings({
  db,
}: Pick<Store, 'db'>): Promise<Readonly<Record<'tenants' | 'releases' | 'operations', readonly Counted[]>>> {
  const [byState, byStatus, byKind] = await Promise.all([
    db.select({ state: tenants.state, n: count() }).from(tenants).groupBy(tenants.state),
    db.select({ status: releases.status, n: count() }).from(releases).groupBy(releases.status),
    db
      .select({ kind: tenantOperations.kind, status: tenantOperations.status, n: count() })
      .from(tenantOperations)
      .groupBy(tenantOperations.kind, tenantOperations.status),
  ]);
  const counted = ({ n, ...labels }: { readonly n: number } & Record<string, string | number>): Counted => ({
    labels: labels as Record<string, string>,
    count: n,
  });
  return { tenants: byState.map(counted), releases: byStatus.map(counted), operations: byKind.map(counted) };
}
