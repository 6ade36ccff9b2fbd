import { and, DrizzleQueryError, eq, inArray, isNotNull, lt, ne, sql } from 'drizzle-orm';
import { ApiFailure } from '../http/errors.ts';
import type { Store } from '../store/database.ts';
import { customDomains, tenants } from '../store/schema.ts';
import { lockTenant, refuseIfBusy } from './operations.ts';

/** A tenant's custom domain as it is stored. */
export type CustomDomainRow = typeof customDomains.$inferSelect;

const failingAfterMs = 10 * 60_000;

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
    if (other !== undefined && !isFailingDomain(other, Date.now())) throw domainTaken();
    const [current] = await tx.select().from(customDomains).where(eq(customDomains.tenantId, tenantId));
    if (current?.domain === domain) return current;
    const [stored] = await tx
      .insert(customDomains)
      .values({ tenantId, domain })
      .onConflictDoUpdate({
        target: customDomains.tenantId,
        set: { domain, createdAt: sql`now()`, verifiedAt: null, checkedAt: null, failingSince: null },
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

/** Whether a domain that was proved has not been right for a while: a name server that stumbles is no reason. */
export function isFailingDomain({ failingSince }: Pick<CustomDomainRow, 'failingSince'>, now: number): boolean {
  return failingSince !== null && failingSince.getTime() <= now - failingAfterMs;
}

/** A tenant that a domain was taken from; its app may have a certificate for the name still. */
export interface FormerHolder {
  readonly id: string;
  readonly appName: string;
}

/**
 * Notes that a domain was proved. From a tenant whose domain is not right any more it is taken.
 * @throws {ApiFailure} domain_taken when another tenant was first
 */
export async function verifyCustomDomain(
  store: Store,
  proved: CustomDomainRow,
): Promise<{ readonly stored: CustomDomainRow; readonly takenFrom: readonly FormerHolder[] }> {
  const { tenantId, domain } = proved;
  return await store.db.transaction(async (tx) => {
    const failing = lt(customDomains.failingSince, new Date(Date.now() - failingAfterMs));
    const former = await tx
      .update(customDomains)
      .set({ verifiedAt: null, checkedAt: null, failingSince: null })
      .where(and(eq(customDomains.domain, domain), ne(customDomains.tenantId, tenantId), failing))
      .returning({ tenantId: customDomains.tenantId });
    const [stored] = await tx
      .update(customDomains)
      .set({ verifiedAt: sql`now()`, checkedAt: null, failingSince: null })
      .where(and(eq(customDomains.tenantId, tenantId), eq(customDomains.domain, domain)))
      .returning()
      .catch((error: unknown) => {
        const cause = error instanceof DrizzleQueryError ? error.cause : undefined;
        throw cause !== undefined && 'code' in cause && cause.code === '23505' ? domainTaken() : error;
      });
    const formerIds = former.map((row) => row.tenantId);
    const takenFrom = await tx
      .select({ id: tenants.id, appName: tenants.appName })
      .from(tenants)
      .where(inArray(tenants.id, formerIds));
    return { stored: stored ?? proved, takenFrom };
  });
}

/** Takes a tenant's domain away, if it has one. */
export async function deleteCustomDomain(store: Store, tenantId: string): Promise<void> {
  await store.db.delete(customDomains).where(eq(customDomains.tenantId, tenantId));
}

function domainTaken(): ApiFailure {
  return new ApiFailure('domain: another tenant has proved this name.', { status: 409, code: 'domain_taken' });
}
