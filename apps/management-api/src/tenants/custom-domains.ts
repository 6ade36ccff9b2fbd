import { and, DrizzleQueryError, eq, isNotNull, ne, sql } from 'drizzle-orm';
import { ApiFailure } from '../http/errors.ts';
import type { Store } from '../store/database.ts';
import { customDomains } from '../store/schema.ts';
import { lockTenant, refuseIfBusy } from './operations.ts';

/** A tenant's custom domain as it is stored. */
export type CustomDomainRow = typeof customDomains.$inferSelect;

/**
 * Stores the domain that a tenant wants, in place of the one of before. Several may want a name; who proves it has it.
 * @throws {ApiFailure} domain_taken when another tenant has proved it
 */
export async function setCustomDomain(
  store: Store,
  request: { readonly tenantId: string; readonly domain: string },
): Promise<CustomDomainRow> {
  const { tenantId, domain } = request;
  return await store.db.transaction(async (tx) => {
    await refuseIfBusy(tx, await lockTenant(tx, tenantId));
    const [other] = await tx
      .select()
      .from(customDomains)
      .where(
        and(
          eq(customDomains.domain, domain),
          ne(customDomains.tenantId, tenantId),
          isNotNull(customDomains.verifiedAt),
        ),
      );
    if (other !== undefined) throw domainTaken();
    const [current] = await tx.select().from(customDomains).where(eq(customDomains.tenantId, tenantId));
    if (current?.domain === domain) return current;
    const [stored] = await tx
      .insert(customDomains)
      .values({ tenantId, domain })
      .onConflictDoUpdate({
        target: customDomains.tenantId,
        set: { domain, createdAt: sql`now()`, verifiedAt: null },
      })
      .returning();
    if (stored === undefined) throw new Error(`No domain of tenant ${tenantId}`);
    return stored;
  });
}

/** The tenant's custom domain. */
export async function findCustomDomain(store: Store, tenantId: string): Promise<CustomDomainRow | undefined> {
  const [stored] = await store.db.select().from(customDomains).where(eq(customDomains.tenantId, tenantId));
  return stored;
}

/**
 * Notes that a domain was proved.
 * @throws {ApiFailure} domain_taken when another tenant was first
 */
export async function verifyCustomDomain(store: Store, proved: CustomDomainRow): Promise<CustomDomainRow> {
  const [stored] = await store.db
    .update(customDomains)
    .set({ verifiedAt: sql`now()` })
    .where(and(eq(customDomains.tenantId, proved.tenantId), eq(customDomains.domain, proved.domain)))
    .returning()
    .catch((error: unknown) => {
      const cause = error instanceof DrizzleQueryError ? error.cause : undefined;
      throw cause !== undefined && 'code' in cause && cause.code === '23505' ? domainTaken() : error;
    });
  return stored ?? proved;
}

/** Takes a tenant's domain away, if it has one. */
export async function deleteCustomDomain(store: Store, tenantId: string): Promise<void> {
  await store.db.delete(customDomains).where(eq(customDomains.tenantId, tenantId));
}

function domainTaken(): ApiFailure {
  return new ApiFailure('domain: another tenant has proved this name.', { status: 409, code: 'domain_taken' });
}
