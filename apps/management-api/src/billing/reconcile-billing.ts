import type { Plan } from '@sp/cloud-api/contract';
import { and, gt, inArray, isNotNull, isNull, ne, or, sql } from 'drizzle-orm';
import { loggableError } from '../http/loggable-error.ts';
import type { Billing } from '../ports/billing.ts';
import { checkoutSessions, tenants } from '../store/schema.ts';
import { readPaddleEvent } from './paddle-event.ts';
import { type ProcessDeps, processWebhook, storeWebhook } from './process-webhook.ts';

/** What {@link reconcileBilling} needs. */
export interface ReconcileDeps extends ProcessDeps {
  readonly billing: Pick<Billing, 'findPayment' | 'findSubscription'>;
}

const minute = 60_000;
const day = 24 * 60 * minute;
/** So many are asked for in one go: the provider limits requests, and replicas share its limit. */
const batch = 10;

/**
 * Asks the provider about what no webhook told: whether checkouts that look unpaid were paid, and once a day how each
 * subscription is and which plan it is for. What differs goes into the books as an event, and from there the way of every other.
 */
export async function reconcileBilling(deps: ReconcileDeps, { now }: { readonly now: number }): Promise<void> {
  for (const session of await claimSessions(deps, now)) {
    await look(deps, session.id, async () => {
      const payment = await deps.billing.findPayment(session.transactionId);
      if (payment === undefined) return;
      const { subscriptionId, paidAt } = payment;
      deps.logger.warn({ checkout: session.id, subscriptionId }, 'a payment was not told and is made up for');
      await make(deps, {
        event_id: `found_${session.transactionId}`,
        event_type: 'transaction.completed',
        occurred_at: paidAt.toISOString(),
        data: {
          id: session.transactionId,
          subscription_id: subscriptionId,
          custom_data: { checkout_session_id: session.id, user_id: session.userId },
        },
      });
    });
  }
  for (const tenant of await claimTenants(deps, now)) {
    await look(deps, tenant.id, async () => {
      const id = tenant.subscriptionId ?? '';
      const found = await deps.billing.findSubscription(id);
      if (found === undefined) return;
      const { status, changedAt, paidUntil, plan } = found;
      if (status === tenant.subscriptionStatus && (plan === undefined || plan.id === tenant.planId)) return;
      const facts = { tenant: tenant.id, status, plan: plan?.id };
      deps.logger.warn(facts, 'a change of a subscription was not told and is made up for');
      await make(deps, {
        event_id: ['found', id, status, plan?.paddlePriceId ?? 'other', changedAt.getTime()].join('_'),
        event_type: 'subscription.updated',
        occurred_at: changedAt.toISOString(),
        data: {
          id,
          status,
          current_billing_period: { ends_at: paidUntil?.toISOString() ?? null },
          ...(plan === undefined ? {} : { items: [itemOf(plan)] }),
        },
      });
    });
  }
}

/** A plan as events name it. */
function itemOf({ id, name, paddlePriceId, memoryMbDefault, volumeGb, maxTenants }: Plan): object {
  const custom_data = { plan: id, memory_mb: memoryMbDefault, volume_gb: volumeGb, max_tenants: maxTenants };
  return { price: { id: paddlePriceId, name, description: name, custom_data } };
}

/** One that cannot be asked for must not keep the others waiting; it has its turn again. */
async function look({ logger }: ReconcileDeps, subject: string, work: () => Promise<void>): Promise<void> {
  await work().catch((error: unknown) => {
    logger.warn({ subject, err: loggableError(error) }, 'the payment provider could not be asked');
  });
}

async function make(deps: ReconcileDeps, payload: object): Promise<void> {
  const event = readPaddleEvent(payload);
  if (event === undefined) return;
  await storeWebhook(deps, event);
  await processWebhook(deps, event.eventId);
}

/** Checkouts to ask for: the older one is, the longer the pauses. Each is given to one replica. */
async function claimSessions({ store }: ReconcileDeps, now: number): Promise<(typeof checkoutSessions.$inferSelect)[]> {
  const { id, tenantId, createdAt, checkedAt } = checkoutSessions;
  const moment = sql`${new Date(now)}::timestamptz`;
  const isDue = sql`coalesce(${checkedAt}, ${createdAt}) <
    ${moment} - greatest(interval '2 minutes', (${moment} - ${createdAt}) / 4)`;
  const due = store.db
    .select({ id })
    .from(checkoutSessions)
    .where(and(isNull(tenantId), gt(createdAt, new Date(now - 3 * day)), isDue))
    .orderBy(sql`${checkedAt} nulls first`)
    .limit(batch)
    .for('update', { skipLocked: true });
  return await store.db
    .update(checkoutSessions)
    .set({ checkedAt: new Date(now) })
    .where(inArray(id, due))
    .returning();
}

async function claimTenants({ store }: ReconcileDeps, now: number): Promise<(typeof tenants.$inferSelect)[]> {
  const { id, state, subscriptionId, subscriptionStatus, subscriptionCheckedAt: checkedAt, createdAt } = tenants;
  const isDue = sql`coalesce(${checkedAt}, ${createdAt}) < ${new Date(now - day)}::timestamptz`;
  const isOpen = or(isNull(subscriptionStatus), ne(subscriptionStatus, 'canceled'));
  const due = store.db
    .select({ id })
    .from(tenants)
    .where(and(isNotNull(subscriptionId), isOpen, ne(state, 'deleted'), isDue))
    .orderBy(sql`${checkedAt} nulls first`)
    .limit(batch)
    .for('update', { skipLocked: true });
  return await store.db
    .update(tenants)
    .set({ subscriptionCheckedAt: new Date(now) })
    .where(inArray(id, due))
    .returning();
}
