import { and, eq, sql } from 'drizzle-orm';
import type { Store } from '../store/database.ts';
import { sandboxTransactions } from '../store/schema.ts';
import { sandboxPlans } from './sandbox-plans.ts';
import {
  deliverWebhook,
  type SandboxChange,
  type SandboxTransaction,
  statusAfter,
  subscriptionOf,
  transactionOf,
  type WebhookDelivery,
} from './sandbox-webhook.ts';

/** A subscription of the sandbox provider, as its payment began it. */
export interface SandboxSubscription extends Omit<SandboxTransaction, 'subscriptionStatus'> {
  readonly subscriptionId: string;
  readonly subscriptionStatus: NonNullable<SandboxTransaction['subscriptionStatus']>;
}

/** A subscription that was paid for. */
export async function findSubscription(store: Store, subscriptionId: string): Promise<SandboxSubscription | undefined> {
  const id = transactionOf(subscriptionId);
  const row = await store.db.query.sandboxTransactions.findFirst({
    where: and(eq(sandboxTransactions.id, id), eq(sandboxTransactions.status, 'completed')),
  });
  if (row === undefined) return undefined;
  return { ...row, subscriptionId: subscriptionOf(row.id), subscriptionStatus: row.subscriptionStatus ?? 'active' };
}

/**
 * Tells the API of a change and then writes it down: when this process dies in between, the change is made again, and
 * the receiver recognises the webhook by its id. Of one that has ended nothing is told any more.
 */
export async function changeSubscription(
  options: { readonly store: Store } & WebhookDelivery,
  { subscriptionId, change }: { readonly subscriptionId: string; readonly change: SandboxChange },
): Promise<void> {
  const { store } = options;
  const subscription = await findSubscription(store, subscriptionId);
  if (subscription === undefined || subscription.subscriptionStatus === 'canceled') return;
  const priceId = change === 'updated' ? nextPrice(subscription.priceId) : subscription.priceId;
  await deliverWebhook(change, { ...subscription, priceId }, options);
  await store.db
    .update(sandboxTransactions)
    .set({
      subscriptionStatus: statusAfter[change],
      priceId,
      changes: sql`${sandboxTransactions.changes} + 1`,
      changedAt: new Date(),
    })
    .where(and(eq(sandboxTransactions.id, subscription.id), eq(sandboxTransactions.changes, subscription.changes)));
}

/** The price of the plan after this one; after the last comes the first. */
function nextPrice(priceId: string): string {
  const index = sandboxPlans.findIndex(({ paddlePriceId }) => paddlePriceId === priceId);
  return sandboxPlans[(index + 1) % sandboxPlans.length]?.paddlePriceId ?? priceId;
}
