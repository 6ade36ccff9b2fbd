import type { Plan } from '@sp/cloud-api/contract';
import { and, eq, isNull, ne } from 'drizzle-orm';
import type { Store, Transaction } from '../store/database.ts';
import { checkoutSessions, tenants, webhookEvents } from '../store/schema.ts';
import { createPaidTenant } from '../tenants/tenants.ts';
import { type PaddleEvent, parseSubscription, type Subscription } from './paddle-event.ts';

/** What came of a webhook. */
export type AppliedEvent =
  /** A tenant has been paid for, now or before; `provisioning`: it is not there yet. */
  | { readonly outcome: 'paid'; readonly tenantId: string; readonly provisioning: boolean }
  /** A tenant's subscription has ended. */
  | { readonly outcome: 'canceled'; readonly tenantId: string }
  /** Stored; nothing follows from it. */
  | { readonly outcome: 'stored' }
  /** Somebody paid for a checkout that is not in our books: stored, and for a person to look at. */
  | { readonly outcome: 'unmatched' };

/** What {@link applyEvent} needs. */
export interface ApplyDeps {
  readonly store: Store;
  readonly hostname: (name: string, suffix: string) => string;
  readonly listPlans: () => Promise<readonly Plan[]>;
}

/**
 * Stores a webhook and does what follows from it, both in one transaction: a webhook that is in the books has had its
 * effect, and the same one again has none.
 */
export async function applyEvent(deps: ApplyDeps, event: PaddleEvent): Promise<AppliedEvent> {
  // Read before the transaction: a provider that is slow must not hold its locks.
  const plans = event.eventType === 'subscription.created' ? await deps.listPlans() : [];
  return deps.store.db.transaction(async (tx) => {
    const { eventId, eventType, occurredAt, payload } = event;
    // A second delivery waits here for the first.
    await tx.insert(webhookEvents).values({ eventId, eventType, occurredAt, payload }).onConflictDoNothing();
    if (eventType === 'subscription.canceled') {
      const tenantId = await applyCancellation(tx, event.data);
      await markProcessed(tx, eventId);
      return tenantId === undefined ? { outcome: 'stored' } : { outcome: 'canceled', tenantId };
    }
    if (eventType !== 'subscription.created') {
      await markProcessed(tx, eventId);
      return { outcome: 'stored' };
    }
    const subscription = parseSubscription(event.data);
    const tenantId = subscription && (await applyPayment(tx, { deps, plans, subscription }));
    // Not marked as processed: that is how somebody finds it.
    if (tenantId === undefined) return { outcome: 'unmatched' };
    await markProcessed(tx, eventId);
    const [tenant] = await tx.select({ state: tenants.state }).from(tenants).where(eq(tenants.id, tenantId));
    return { outcome: 'paid', tenantId, provisioning: tenant?.state === 'provisioning' };
  });
}

/** The tenant of the payment, made when it is the first time that we hear of it. */
async function applyPayment(
  tx: Transaction,
  request: { readonly deps: ApplyDeps; readonly plans: readonly Plan[]; readonly subscription: Subscription },
): Promise<string | undefined> {
  const { deps, plans, subscription } = request;
  const session = await lockSession(tx, subscription);
  if (session === undefined) return undefined;
  if (session.tenantId !== null) return session.tenantId;
  const plan = plans.find(({ paddlePriceId }) => paddlePriceId === session.priceId);
  if (plan === undefined) return undefined;
  const tenant = await createPaidTenant(tx, {
    ownerId: session.userId,
    name: session.tenantName,
    region: session.region,
    plan,
    subscriptionId: subscription.subscriptionId,
    checkoutSessionId: session.id,
    hostname: deps.hostname,
  });
  await tx.update(checkoutSessions).set({ tenantId: tenant.id }).where(eq(checkoutSessions.id, session.id));
  return tenant.id;
}

/** The tenant whose subscription has ended; one that is not ours any more is no matter. */
async function applyCancellation(tx: Transaction, data: unknown): Promise<string | undefined> {
  const subscription = parseSubscription(data);
  if (subscription === undefined) return undefined;
  const [tenant] = await tx
    .update(tenants)
    .set({ subscriptionStatus: 'canceled', updatedAt: new Date() })
    .where(and(eq(tenants.subscriptionId, subscription.subscriptionId), ne(tenants.state, 'deleted')))
    .returning({ id: tenants.id });
  return tenant?.id;
}

/** The lock makes two webhooks about the same payment follow each other. */
async function lockSession(
  tx: Transaction,
  subscription: Subscription,
): Promise<typeof checkoutSessions.$inferSelect | undefined> {
  const { checkoutSessionId, transactionId, userId } = subscription;
  // The marker of a payment can be lost when somebody edits the transaction by hand.
  const match =
    checkoutSessionId === undefined
      ? eq(checkoutSessions.transactionId, transactionId ?? '')
      : eq(checkoutSessions.id, checkoutSessionId);
  const [session] = await tx.select().from(checkoutSessions).where(match).for('update');
  return session !== undefined && (userId === undefined || userId === session.userId) ? session : undefined;
}

async function markProcessed(tx: Transaction, eventId: string): Promise<void> {
  await tx
    .update(webhookEvents)
    .set({ processedAt: new Date() })
    .where(and(eq(webhookEvents.eventId, eventId), isNull(webhookEvents.processedAt)));
}
