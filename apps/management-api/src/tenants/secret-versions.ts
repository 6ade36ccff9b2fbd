import { and, asc, desc, eq, lte, sql } from 'drizzle-orm';
import type { Store, Transaction } from '../store/database.ts';
import { tenantSecrets } from '../store/schema.ts';
import type { SecretKind } from './secrets.ts';

/** The database, or somebody's transaction in it. */
export interface SecretReader {
  readonly db: Pick<Store['db'], 'select' | 'selectDistinctOn'>;
}

/** A name with its value, sealed, as it was at one version. */
export type SecretRow = typeof tenantSecrets.$inferSelect & { readonly ciphertext: Buffer };

/** The secrets of a tenant as they were at a version (the newest unless one is given), sorted by name, without the removed. */
export async function listSecretRows(
  db: Pick<Store['db'], 'selectDistinctOn'>,
  request: { readonly tenantId: string; readonly kind: SecretKind; readonly version?: number | undefined },
): Promise<SecretRow[]> {
  const { tenantId, kind, version } = request;
  const rows = await db
    .selectDistinctOn([tenantSecrets.name])
    .from(tenantSecrets)
    .where(
      and(
        eq(tenantSecrets.tenantId, tenantId),
        eq(tenantSecrets.kind, kind),
        version === undefined ? undefined : lte(tenantSecrets.version, version),
      ),
    )
    .orderBy(asc(tenantSecrets.name), desc(tenantSecrets.version));
  return rows.filter((row): row is SecretRow => row.ciphertext !== null);
}

/** The number of the last change of a tenant's secrets; 0 before the first. */
export async function readSecretsVersion(
  db: Pick<Store['db'], 'select'>,
  request: { readonly tenantId: string; readonly kind: SecretKind },
): Promise<number> {
  const [row] = await db
    .select({ version: sql<number>`coalesce(max(${tenantSecrets.version}), 0)` })
    .from(tenantSecrets)
    .where(and(eq(tenantSecrets.tenantId, request.tenantId), eq(tenantSecrets.kind, request.kind)));
  return row?.version ?? 0;
}

/** Forgets values that were replaced and that no release can bring back. */
export async function pruneSecretVersions(
  tx: Transaction,
  request: { readonly tenantId: string; readonly kind: SecretKind },
): Promise<void> {
  const { tenantId, kind } = request;
  // Only the owner's secrets are frozen by releases. The newest row of a name always stays: the versions count on.
  await tx.execute(sql`
    delete from tenant_secrets old
    where old.tenant_id = ${tenantId} and old.kind = ${kind} and exists (
      select 1 from tenant_secrets newer
      where newer.tenant_id = old.tenant_id and newer.kind = old.kind and newer.name = old.name
        and newer.version > old.version
        and (old.kind <> 'user' or not exists (
          select 1 from releases
          where releases.tenant_id = old.tenant_id
            and releases.secrets_version >= old.version and releases.secrets_version < newer.version
        ))
    )`);
}
