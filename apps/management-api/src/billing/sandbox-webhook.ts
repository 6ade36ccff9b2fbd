import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { loggableError } from '../http/loggable-error.ts';
import type { sandboxTransactions } from '../store/schema.ts';
import { sandboxPlans } from './sandbox-plans.ts';
import { signatureHeader, signWebhook } from './webhook-signature.ts';

/** How webhooks reach their receiver. */
export interface WebhookDelivery {
  /** The API's public address. */
  readonly baseUrl: string;
  /** Signs the webhooks; one of the API's own `webhookSecrets`. */
  readonly webhookSecret: string;
  readonly logger: Logger;
  /** @defaultValue the global `fetch` */
  readonly fetch?: ((url: string, init: RequestInit) => Promise<Response>) | undefined;
  /** Pause before the second attempt, in milliseconds; twice that before the third. @defaultValue 500 */
  readonly retryMs?: number | undefined;
}

/** A transaction of the sandbox, and with it the subscription that it began. */
export type SandboxTransaction = typeof sandboxTransactions.$inferSelect;

/** What can happen to a subscription. */
export type SandboxChange = 'created' | 'updated' | 'past_due' | 'paid' | 'paused' | 'resumed' | 'canceled';

const attempts = 3;

/** How a subscription is after a change. */
export const statusAfter = {
  created: 'active',
  /** Another plan. */
  updated: 'active',
  past_due: 'past_due',
  paid: 'active',
  paused: 'paused',
  resumed: 'active',
  canceled: 'canceled',
} as const satisfies Readonly<Record<SandboxChange, string>>;

/**
 * Tells the API what happened to a transaction's subscription, up to three times. The event's id comes from the
 * transaction and the number of the change, so telling it again is recognised.
 */
export async function deliverWebhook(
  change: SandboxChange,
  transaction: Pick<SandboxTransaction, 'id' | 'priceId' | 'customData' | 'changes'>,
  delivery: WebhookDelivery,
): Promise<void> {
  const { baseUrl, webhookSecret, logger, fetch = globalThis.fetch, retryMs = 500 } = delivery;
  const body = Buffer.from(JSON.stringify(describe(change, transaction)));
  for (let attempt = 1; ; attempt += 1) {
    try {
      const response = await fetch(`${baseUrl}/api/v1/webhooks/paddle`, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          [signatureHeader]: signWebhook(body, { secret: webhookSecret }),
        },
        body,
        // The provider's own patience.
        signal: AbortSignal.timeout(5000),
      });
      await response.body?.cancel();
      if (response.ok) return;
      throw new Error(`The webhook was answered with ${response.status}.`);
    } catch (error) {
      if (attempt === attempts) throw error;
      logger.warn(
        { transactionId: transaction.id, change, attempt, err: loggableError(error) },
        'sandbox webhook will be sent again',
      );
      await sleep(retryMs * attempt);
    }
  }
}

/** The transaction that began a subscription. */
export function transactionOf(subscriptionId: string): string {
  return subscriptionId.replace(/^sub_/, 'txn_');
}

/** The subscription that a transaction begins. */
export function subscriptionOf(transactionId: string): string {
  return transactionId.replace(/^txn_/, 'sub_');
}

function describePrice(priceId: string): object {
  const plan = sandboxPlans.find(({ paddlePriceId }) => paddlePriceId === priceId);
  if (plan === undefined) return { price: { id: priceId } };
  const { id, name, memoryMbDefault: memory_mb, volumeGb: volume_gb } = plan;
  return { price: { id: priceId, name, description: name, custom_data: { plan: id, memory_mb, volume_gb } } };
}

function describe(change: SandboxChange, transaction: Parameters<typeof deliverWebhook>[1]): object {
  const suffix = transaction.id.replace(/^txn_/, '');
  const marker = change === 'created' ? suffix : `${suffix}_${transaction.changes + 1}_${change}`;
  const common = {
    custom_data: transaction.customData,
    items: [{ status: 'active', quantity: 1, ...describePrice(transaction.priceId) }],
  };
  return {
    event_id: `evt_${marker}`,
    event_type: change === 'paid' ? 'transaction.completed' : `subscription.${change}`,
    occurred_at: new Date().toISOString(),
    notification_id: `ntf_${marker}`,
    data:
      change === 'paid'
        ? {
            id: `txn_${marker}`,
            status: 'completed',
            origin: 'subscription_recurring',
            subscription_id: `sub_${suffix}`,
            ...common,
          }
        : {
            id: `sub_${suffix}`,
            status: statusAfter[change],
            ...(change === 'created' ? { transaction_id: transaction.id } : {}),
            ...common,
          },
  };
}
