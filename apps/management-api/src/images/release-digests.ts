import { type Digest, isDigest } from '@sp/oci';
import { type SQL, sql } from 'drizzle-orm';
import type { Store } from '../store/database.ts';
import { releases, tenants } from '../store/schema.ts';

/** Of how many of its last different images a tenant keeps those that it ran, unless it is said otherwise. */
export const defaultKeptReleases = 20;

/**
 * The images that stay: of each tenant the last `kept` that it ran, what it runs or is about to run, and what a rollback
 * that names no release would bring back. Restarts and new passwords make releases of the same image, and push none out.
 */
export async function findReleaseDigests(
  store: Store,
  options: { readonly kept?: number | undefined; readonly tenantId?: string | undefined } = {},
): Promise<readonly Digest[]> {
  const { kept = defaultKeptReleases, tenantId } = options;
  const ofTenant = (tenant: SQL): SQL => (tenantId === undefined ? sql`true` : sql`${tenant} = ${tenantId}`);
  const { rows } = await store.db.execute<{ digest: string | null }>(sql`
    with known as (
      select r.id, r.tenant_id, r.digest, r.number, r.status
      from ${releases} r join ${tenants} t on t.id = r.tenant_id
      where r.status <> 'failed' and t.state <> 'deleted' and ${ofTenant(sql`t.id`)}
    ), images as (
      select digest, row_number() over (partition by tenant_id order by max(number) desc) as age
      from known group by tenant_id, digest
    ), running as (
      select c.* from ${tenants} t join ${releases} c on c.id = t.current_release_id
      where t.state <> 'deleted' and ${ofTenant(sql`t.id`)}
    )
    select digest from images where age <= ${kept}
    union select digest from known where status in ('running', 'deploying')
    union select digest from running
    union select (
      select b.digest from ${releases} b
      where b.tenant_id = c.tenant_id and b.status in ('running', 'superseded')
        and b.number < coalesce(c.rollback_of, c.number)
        and (b.digest <> c.digest or b.secrets_version <> c.secrets_version)
      order by b.number desc limit 1
    ) from running c
  `);
  return rows.flatMap(({ digest }) => (digest !== null && isDigest(digest) ? [digest] : []));
}
