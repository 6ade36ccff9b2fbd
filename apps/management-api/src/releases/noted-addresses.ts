import { and, eq, isNotNull, ne } from 'drizzle-orm';
import type { Store } from '../store/database.ts';
import { releases, tenants } from '../store/schema.ts';

/** Where the machines of the tenants' current releases are looked for: `host:port`, whether they answer or not. */
export async function findNotedAddresses(store: Store): Promise<readonly string[]> {
  const rows = await store.db
    .select({ address: releases.address })
    .from(tenants)
    .innerJoin(releases, eq(releases.id, tenants.currentReleaseId))
    .where(and(ne(tenants.state, 'deleted'), isNotNull(releases.address)));
  return rows.flatMap(({ address }) => address ?? []);
}
