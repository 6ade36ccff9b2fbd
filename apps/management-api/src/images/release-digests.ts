import { type Digest, isDigest } from '@sp/oci';
import { and, eq, ne } from 'drizzle-orm';
import type { Store } from '../store/database.ts';
import { releases, tenants } from '../store/schema.ts';

/** The images that a tenant runs, ran or is about to run: a rollback may ask for any of them again. */
export async function findReleaseDigests(store: Store): Promise<readonly Digest[]> {
  const rows = await store.db
    .selectDistinct({ digest: releases.digest })
    .from(releases)
    .innerJoin(tenants, eq(tenants.id, releases.tenantId))
    .where(and(ne(releases.status, 'failed'), ne(tenants.state, 'deleted')));
  return rows.map(({ digest }) => digest).filter(isDigest);
}
