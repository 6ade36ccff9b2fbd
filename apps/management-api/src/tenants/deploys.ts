import { randomUUID } from 'node:crypto';
import { and, eq, sql } from 'drizzle-orm';
import type { Store } from '../store/database.ts';
import { releases, tenants } from '../store/schema.ts';
import { nextState } from './state.ts';

/** A release as it is stored. */
export type ReleaseRow = typeof releases.$inferSelect;

/** Another deploy of the tenant is under way. */
export class DeployInProgress extends Error {
  override readonly name = 'DeployInProgress';
  readonly releaseId: string;
  readonly startedAt: Date;

  constructor(facts: { readonly releaseId: string; readonly startedAt: Date }) {
    super(`A deploy of this tenant is under way since ${facts.startedAt.toISOString()}: release ${facts.releaseId}`);
    this.releaseId = facts.releaseId;
    this.startedAt = facts.startedAt;
  }
}

/**
 * Opens a release and puts the tenant into `deploying`.
 * @throws {DeployInProgress} when another is open
 * @throws {TenantStateConflict} when the tenant's state allows no deploy
 */
export async function createRelease(
  deps: { readonly store: Store },
  request: { readonly tenantId: string; readonly image: string; readonly digest: string },
): Promise<ReleaseRow> {
  const { tenantId, image, digest } = request;
  return await deps.store.db.transaction(async (tx) => {
    const [tenant] = await tx.select().from(tenants).where(eq(tenants.id, tenantId)).for('update');
    if (tenant === undefined) throw new Error(`No tenant ${tenantId}`);
    const [open] = await tx
      .select()
      .from(releases)
      .where(and(eq(releases.tenantId, tenantId), eq(releases.status, 'deploying')));
    if (open !== undefined) throw new DeployInProgress({ releaseId: open.id, startedAt: open.createdAt });
    const state = nextState(tenant.state, 'deploy_started');
    const [release] = await tx
      .insert(releases)
      .values({
        id: randomUUID(),
        tenantId,
        number: sql`(select coalesce(max(number), 0) + 1 from releases where tenant_id = ${tenantId})`,
        image,
        digest,
        status: 'deploying',
      })
      .returning();
    if (release === undefined) throw new Error(`No release of tenant ${tenantId}`);
    await tx.update(tenants).set({ state, failure: null, updatedAt: sql`now()` }).where(eq(tenants.id, tenantId));
    return release;
  });
}
