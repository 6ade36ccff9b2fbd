import { LogLevel, Paddle, type Subscription } from '@paddle/paddle-node-sdk';
import type { Plan } from '@sp/cloud-api/contract';
import type { Hono } from 'hono';
import type { Logger } from 'pino';
import type { Billing } from '../ports/billing.ts';
import type { Store } from '../store/database.ts';
import { BillingError, isBillingError } from './billing-error.ts';
import { callPaddle, type PaddlePatience } from './call-paddle.ts';
import { paddleCheckoutPages } from './paddle-checkout-pages.ts';
import { planOfPrice } from './paddle-plans.ts';

/** How Paddle Billing is reached. */
export interface PaddleBillingOptions extends PaddlePatience {
  /** Secret. */
  readonly apiKey: string;
  /** A live account, a sandbox account, or the address of something that answers like them. @defaultValue 'production' */
  readonly environment?: 'production' | 'sandbox' | (string & {}) | undefined;
  /** For the payment page; not secret. */
  readonly clientToken: string;
  /** The API's public address: home of the payment page. Its domain must be approved in the Paddle account. */
  readonly baseUrl: string;
  /** Knows where the browser goes after payment. */
  readonly store: Store;
  readonly logger: Logger;
  /** How long the plans are good before they are asked for again, in milliseconds. @defaultValue 300000 */
  readonly planAgeMs?: number | undefined;
  /** Milliseconds since 1970. @defaultValue `Date.now` */
  readonly now?: (() => number) | undefined;
}

/** Paddle Billing, with the page on which its checkout opens. */
export interface PaddleBilling extends Billing {
  /** Routes of the payment page. */
  readonly pages: Hono;
}

/** Takes real money, with Paddle as merchant of record. */
export function createPaddleBilling(options: PaddleBillingOptions): PaddleBilling {
  const { apiKey, environment = 'production', clientToken, baseUrl, store, logger } = options;
  const { planAgeMs = 300_000, now = Date.now } = options;
  const { timeoutMs, attempts, retryMs, longestPauseMs } = options;
  const patience = { timeoutMs, attempts, retryMs, longestPauseMs };
  // Any other value is the SDK's base address, which its type does not say. Without a level it writes to the console.
  const sdkOptions: object = { environment, logLevel: LogLevel.none };
  const paddle = new Paddle(apiKey, sdkOptions);
  let known: { readonly plans: readonly Plan[]; readonly readAt: number } | undefined;
  let reading: Promise<readonly Plan[]> | undefined;

  async function readPlans(): Promise<readonly Plan[]> {
    const prices = await callPaddle(
      'list prices',
      async () => {
        const found = [];
        const query = { include: ['product'], status: ['active' as const], recurring: true, perPage: 200 };
        for await (const price of paddle.prices.list(query)) found.push(price);
        return found;
      },
      patience,
    );
    return prices.flatMap((price) => planOfPrice(price) ?? []);
  }

  async function listPlans(): Promise<readonly Plan[]> {
    if (known !== undefined && now() - known.readAt < planAgeMs) return known.plans;
    // Everybody who asks meanwhile waits for the same answer.
    reading ??= readPlans().finally(() => (reading = undefined));
    try {
      const plans = await reading;
      known = { plans, readAt: now() };
      return plans;
    } catch (error) {
      if (known === undefined) throw error;
      // What was sold five minutes ago is better than no answer; the provider has the last word at the checkout.
      logger.warn({ code: isBillingError(error) ? error.code : undefined }, 'plans could not be read again');
      known = { plans: known.plans, readAt: now() };
      return known.plans;
    }
  }

  function readSubscription(id: string, signal: AbortSignal | undefined): Promise<Subscription> {
    return callPaddle('read the subscription', () => paddle.subscriptions.get(id), { ...patience, signal });
  }

  return {
    pages: paddleCheckoutPages({ store, clientToken, environment }),

    listPlans: async ({ signal } = {}) => {
      signal?.throwIfAborted();
      return await listPlans();
    },

    // A transaction that nobody pays for costs nothing: one that is made twice does no harm.
    openTransaction: async ({ priceId, marker, signal }) => {
      const operation = 'open a transaction';
      const body = {
        items: [{ priceId, quantity: 1 }],
        customData: { ...marker },
        collectionMode: 'automatic' as const,
        checkout: { url: `${baseUrl}/checkout` },
      };
      const { id, checkout } = await callPaddle(operation, () => paddle.transactions.create(body), {
        ...patience,
        signal,
      });
      const checkoutUrl = checkout?.url ?? undefined;
      if (checkoutUrl === undefined) {
        throw new BillingError('SP_BILLING_RESPONSE', { operation, reason: 'the transaction has no payment page' });
      }
      return { transactionId: id, checkoutUrl };
    },

    cancelSubscription: async (id, { when = 'now', signal } = {}) => {
      const subscription = await readSubscription(id, signal);
      if (isEnding(subscription, when)) return;
      try {
        // While something is scheduled, nothing else is accepted.
        if (subscription.scheduledChange !== null) {
          await callPaddle(
            'drop the scheduled change',
            () => paddle.subscriptions.update(id, { scheduledChange: null }),
            {
              ...patience,
              signal,
            },
          );
        }
        const effectiveFrom = when === 'now' ? ('immediately' as const) : ('next_billing_period' as const);
        await callPaddle('cancel the subscription', () => paddle.subscriptions.cancel(id, { effectiveFrom }), {
          ...patience,
          signal,
        });
      } catch (error) {
        // It ended meanwhile, or by the attempt whose answer was lost.
        if (!isBillingError(error) || error.code !== 'SP_BILLING_REFUSED') throw error;
        if (!isEnding(await readSubscription(id, signal), when)) throw error;
      }
    },

    createPortalLink: async (id, { signal } = {}) => {
      const { customerId } = await readSubscription(id, signal);
      const { urls } = await callPaddle(
        'open the customer portal',
        () => paddle.customerPortalSessions.create(customerId, [id]),
        { ...patience, signal },
      );
      return { url: urls.general.overview };
    },

    findSubscription: async (id, { signal } = {}) => {
      const found = await unlessMissing(readSubscription(id, signal));
      if (found === undefined) return undefined;
      const endsAt = found.currentBillingPeriod?.endsAt;
      return {
        status: found.status,
        changedAt: new Date(found.updatedAt),
        paidUntil: endsAt === undefined ? undefined : new Date(endsAt),
        plan: found.items.flatMap(({ price, product }) => planOfPrice(price, product) ?? [])[0],
      };
    },

    findPayment: async (id, { signal } = {}) => {
      const found = await unlessMissing(
        callPaddle('read the transaction', () => paddle.transactions.get(id), { ...patience, signal }),
      );
      if (found?.status !== 'completed' || found.subscriptionId === null) return undefined;
      return { subscriptionId: found.subscriptionId, paidAt: new Date(found.billedAt ?? found.updatedAt) };
    },
  };
}

function isEnding({ status, scheduledChange }: Subscription, when: 'now' | 'period_end'): boolean {
  return status === 'canceled' || (when === 'period_end' && scheduledChange?.action === 'cancel');
}

async function unlessMissing<T>(reading: Promise<T>): Promise<T | undefined> {
  return await reading.catch((error: unknown) => {
    if (isBillingError(error) && error.code === 'SP_BILLING_NOT_FOUND') return undefined;
    throw error;
  });
}
