import { randomBytes } from 'node:crypto';
import type { CheckoutRequest, CheckoutResponse } from '@sp/cloud-api/contract';
import { and, eq, ne } from 'drizzle-orm';
import { ApiFailure } from '../http/errors.ts';
import { type Effect, unkeptEffect } from '../http/idempotency.ts';
import { checkLoopbackRedirect } from '../identity/loopback-redirect.ts';
import type { Billing } from '../ports/billing.ts';
import type { Store } from '../store/database.ts';
import { checkoutSessions, tenants } from '../store/schema.ts';

/** One attempt to buy a tenant. */
export type CheckoutSession = typeof checkoutSessions.$inferSelect;

/**
 * Opens a checkout.
 * @throws {ApiFailure} unknown_price, invalid_redirect_uri, tenant_name_taken, too_many_tenants
 */
export async function createCheckoutSession(
  deps: { readonly store: Store; readonly billing: Billing },
  request: CheckoutRequest & { readonly userId: string; readonly effect?: Effect | undefined },
): Promise<CheckoutResponse> {
  const { store, billing } = deps;
  const { priceId, redirectUri, region, userId, effect = unkeptEffect } = request;
  // The same request of before has opened it, and died.
  if (effect.made !== undefined) return effect.made as CheckoutResponse;
  if (redirectUri !== undefined) checkLoopbackRedirect(redirectUri);
  const plans = await billing.listPlans();
  const plan = plans.find(({ paddlePriceId }) => paddlePriceId === priceId);
  if (plan === undefined) {
    throw new ApiFailure('price_id: there is no plan with this price.', { status: 400, code: 'unknown_price' });
  }
  const owned = await store.db
    .select({ name: tenants.name, planId: tenants.planId })
    .from(tenants)
    .where(and(eq(tenants.ownerId, userId), ne(tenants.state, 'deleted')));
  // At the till, and not when it is paid: what was paid for is not refused.
  if (plan.maxTenants !== undefined && owned.filter(({ planId }) => planId === plan.id).length >= plan.maxTenants) {
    throw new ApiFailure(`price_id: you have ${plan.maxTenants} tenants of this plan, which are the most.`, {
      status: 409,
      code: 'too_many_tenants',
    });
  }
  const tenantName = chooseName(new Set(owned.map(({ name }) => name)), request.tenantName);

  // The provider first: a session without a transaction could never be paid for.
  const id = `cs_${randomBytes(16).toString('hex')}`;
  const { transactionId, checkoutUrl } = await billing.openTransaction({
    priceId,
    marker: { checkout_session_id: id, user_id: userId },
    successUrl: redirectUri,
  });
  const opened: CheckoutResponse = { checkoutUrl, transactionId, checkoutSessionId: id };
  await store.db.transaction(async (tx) => {
    const values = { id, userId, priceId, plan, region, tenantName, redirectUri, transactionId };
    await tx.insert(checkoutSessions).values(values);
    await effect.keep(tx, opened);
  });
  return opened;
}

/** A checkout session of the user; somebody else's is as good as none. */
export function findCheckoutSession(
  store: Store,
  { id, userId }: { readonly id: string; readonly userId: string },
): Promise<CheckoutSession | undefined> {
  return store.db.query.checkoutSessions.findFirst({
    where: and(eq(checkoutSessions.id, id), eq(checkoutSessions.userId, userId)),
  });
}

function chooseName(taken: ReadonlySet<string>, wanted: string | undefined): string {
  if (wanted !== undefined) {
    if (!taken.has(wanted)) return wanted;
    throw new ApiFailure(`tenant_name: you already have a tenant named ${wanted}.`, {
      status: 409,
      code: 'tenant_name_taken',
    });
  }
  for (;;) {
    const name = `tenant-${randomLetters(4)}`;
    if (!taken.has(name)) return name;
  }
}

/** Base32 (RFC 4648) in lower case: no letter looks like another. */
function randomLetters(count: number): string {
  return [...randomBytes(count)].map((byte) => 'abcdefghijklmnopqrstuvwxyz234567'.charAt(byte % 32)).join('');
}
