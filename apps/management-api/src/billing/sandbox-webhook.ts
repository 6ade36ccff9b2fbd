import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { loggableError } from '../http/loggable-error.ts';
import type { sandboxTransactions } from '../store/schema.ts';
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

const attempts = 3;

type Transaction = Pick<typeof sandboxTransactions.$inferSelect, 'id' | 'priceId' | 'customData'>;

/**
 * Tells the API what happened to a transaction's subscription, up to three times. The event's id comes from the
 * transaction, so telling it again is recognised.
 */
export async function deliverWebhook(
  eventType: 'subscription.created' | 'subscription.canceled',
  transaction: Transaction,
  delivery: WebhookDelivery,
): Promise<void> {
  const { baseUrl, webhookSecret, logger, fetch = globalThis.fetch, retryMs = 500 } = delivery;
  const body = Buffer.from(JSON.stringify(subscriptionEvent(eventType, transaction)));
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
        { transactionId: transaction.id, eventType, attempt, err: loggableError(error) },
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

function subscriptionEvent(eventType: Parameters<typeof deliverWebhook>[0], transaction: Transaction): object {
  const suffix = transaction.id.replace(/^txn_/, '');
  const created = eventType === 'subscription.created';
  const marker = created ? suffix : `${suffix}_canceled`;
  return {
    event_id: `evt_${marker}`,
    event_type: eventType,
    occurred_at: new Date().toISOString(),
    notification_id: `ntf_${marker}`,
    data: {
      id: `sub_${suffix}`,
      status: created ? 'active' : 'canceled',
      ...(created ? { transaction_id: transaction.id } : {}),
      custom_data: transaction.customData,
      items: [{ status: 'active', quantity: 1, price: { id: transaction.priceId } }],
    },
  };
}
