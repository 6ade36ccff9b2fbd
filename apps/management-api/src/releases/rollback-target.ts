import { and, desc, eq, inArray, lt, ne, or } from 'drizzle-orm';
import type { Store } from '../store/database.ts';
import { releases } from '../store/schema.ts';
import type { ReleaseRow } from '../tenants/deploys.ts';
import type { TenantRow } from '../tenants/tenants.ts';

/** What a release must have been to be brought back: a machine of it was healthy. */
const restorable = ['running', 'superseded'] as const;

/**
 * The release to bring back: the one with this number, or the last before that ran another image or other secrets.
 * Rollbacks that follow each other go further back each time, and not to and fro.
 */
export async function findRollbackTarget(
  store: Store,
  request: { readonly tenant: TenantRow; readonly release?: number | undefined },
): Promise<ReleaseRow | undefined> {
  const { tenant, release } = request;
  const which = release === undefined ? await before(store, tenant) : eq(releases.number, release);
  if (which === undefined) return undefined;
  const [row] = await store.db
    .select()
    .from(releases)
    .where(and(eq(releases.tenantId, tenant.id), inArray(releases.status, [...restorable]), which))
    .orderBy(desc(releases.number))
    .limit(1);
  return row;
}

async function before(store: Store, tenant: TenantRow) {
  if (tenant.currentReleaseId === null) return undefined;
  const [current] = await store.db.select().from(releases).where(eq(releases.id, tenant.currentReleaseId));
  if (current === undefined) return undefined;
  const { number, rollbackOf, digest, secretsVersion } = current;
  const isOther = or(ne(releases.digest, digest), ne(releases.secretsVersion, secretsVersion));
  return and(lt(releases.number, rollbackOf ?? number), isOther);
}
