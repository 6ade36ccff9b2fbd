import { randomBytes } from 'node:crypto';
import { and, eq } from 'drizzle-orm';
import { type Context, Hono } from 'hono';
import { readForm } from '../http/body.ts';
import { loggableError } from '../http/loggable-error.ts';
import { withQuery } from '../identity/loopback-redirect.ts';
import { checkoutPage } from '../pages/checkout-page.ts';
import { messagePage } from '../pages/message-page.ts';
import { sendPage } from '../pages/page.ts';
import type { Billing, CheckoutMarker } from '../ports/billing.ts';
import type { Store } from '../store/database.ts';
import { sandboxTransactions } from '../store/schema.ts';
import { BillingError } from './billing-error.ts';
import { sandboxPlans } from './sandbox-plans.ts';
import { sandboxPortalPages } from './sandbox-portal-pages.ts';
import { changeSubscription, findSubscription } from './sandbox-subscriptions.ts';
import { deliverWebhook, type SandboxTransaction, subscriptionOf, type WebhookDelivery } from './sandbox-webhook.ts';

/** A payment provider without money, with the page where people "pay". */
export interface SandboxBilling extends Billing {
  /** Routes of the provider's own page. */
  readonly pages: Hono;
}

/** Stands in for Paddle: same plans, same webhooks with real signatures, delivered over HTTP to the real route. */
export function createSandboxBilling(
  options: {
    readonly store: Store;
    /** The API's public address: home of the payment page, and receiver of the webhooks. */
    readonly baseUrl: string;
  } & WebhookDelivery,
): SandboxBilling {
  const { store, baseUrl } = options;
  // A double click is one payment: the second waits for the first.
  const paying = new Map<string, Promise<void>>();

  async function settle(transaction: SandboxTransaction): Promise<void> {
    // The books are closed after the delivery and not before: when this process dies in between, the person pays
    // again, and the receiver recognises the webhook by its id.
    await deliverWebhook('created', transaction, options);
    await setStatus(store, { id: transaction.id, status: 'completed' });
  }

  async function pay(transaction: SandboxTransaction): Promise<void> {
    const running = paying.get(transaction.id) ?? settle(transaction).finally(() => paying.delete(transaction.id));
    paying.set(transaction.id, running);
    await running;
  }

  async function refuseUnknown(operation: string, subscriptionId: string): Promise<void> {
    if ((await findSubscription(store, subscriptionId)) !== undefined) return;
    throw new BillingError('SP_BILLING_NOT_FOUND', { operation, reason: 'there is no such subscription' });
  }

  const pages = new Hono();
  pages.route('/', sandboxPortalPages(options));

  pages.get('/sandbox/checkout/:id', async (context) => {
    const transaction = await findTransaction(store, context.req.param('id'));
    if (transaction === undefined) return sendUnknown(context);
    if (transaction.status === 'ready') return sendPage(context, checkoutPage(describe(transaction)));
    return sendSettled(context, transaction.status);
  });

  pages.post('/sandbox/checkout/:id', async (context) => {
    const form = await readForm(context.req.raw);
    const transaction = await findTransaction(store, context.req.param('id'));
    if (transaction === undefined) return sendUnknown(context);
    const action = form.get('action');
    if (transaction.status === 'ready' && action === 'pay') {
      try {
        await pay(transaction);
      } catch (error) {
        options.logger.error(
          { transactionId: transaction.id, err: loggableError(error) },
          'sandbox payment was not delivered',
        );
        return sendUndelivered(context);
      }
      return sendResult(context, { ...transaction, status: 'completed' });
    }
    if (transaction.status === 'ready' && action === 'cancel' && !paying.has(transaction.id)) {
      await setStatus(store, { id: transaction.id, status: 'canceled' });
      return sendResult(context, { ...transaction, status: 'canceled' });
    }
    return sendResult(context, transaction);
  });

  return {
    pages,
    listPlans: async () => sandboxPlans,
    openTransaction: async ({ priceId, marker, successUrl }) => {
      if (!sandboxPlans.some(({ paddlePriceId }) => paddlePriceId === priceId)) {
        throw new BillingError('SP_BILLING_REFUSED', { operation: 'open a transaction', reason: 'unknown price' });
      }
      const id = `txn_${randomBytes(16).toString('hex')}`;
      await store.db.insert(sandboxTransactions).values({ id, priceId, customData: marker, successUrl });
      return { transactionId: id, checkoutUrl: `${baseUrl}/sandbox/checkout/${id}` };
    },
    // Its periods are as short as can be: they end when somebody wants them to.
    cancelSubscription: async (subscriptionId) => {
      await refuseUnknown('cancel the subscription', subscriptionId);
      await changeSubscription(options, { subscriptionId, change: 'canceled' });
    },
    createPortalLink: async (subscriptionId) => {
      await refuseUnknown('open the customer portal', subscriptionId);
      return { url: `${baseUrl}/sandbox/portal/${subscriptionId}` };
    },
    findSubscription: async (id) => {
      const found = await findSubscription(store, id);
      if (found === undefined) return undefined;
      const { subscriptionStatus: status, changedAt, priceId } = found;
      const plan = sandboxPlans.find(({ paddlePriceId }) => paddlePriceId === priceId);
      return { status, changedAt, paidUntil: undefined, plan };
    },
    findPayment: async (id) => {
      const found = await findSubscription(store, subscriptionOf(id));
      return found && { subscriptionId: found.subscriptionId, paidAt: found.createdAt };
    },
  };
}

async function findTransaction(store: Store, id: string): Promise<SandboxTransaction | undefined> {
  return store.db.query.sandboxTransactions.findFirst({ where: eq(sandboxTransactions.id, id) });
}

async function setStatus(
  store: Store,
  { id, status }: { readonly id: string; readonly status: 'completed' | 'canceled' },
): Promise<void> {
  await store.db
    .update(sandboxTransactions)
    .set(status === 'completed' ? { status, subscriptionStatus: 'active', changedAt: new Date() } : { status })
    .where(and(eq(sandboxTransactions.id, id), eq(sandboxTransactions.status, 'ready')));
}

function describe({ id, priceId }: SandboxTransaction): Parameters<typeof checkoutPage>[0] {
  const plan = sandboxPlans.find(({ paddlePriceId }) => paddlePriceId === priceId);
  return {
    transactionId: id,
    order: [
      { label: 'Plan', value: plan?.name ?? priceId },
      { label: 'Memory', value: `${plan?.memoryMbDefault ?? 0} MB` },
      { label: 'Storage', value: `${plan?.volumeGb ?? 0} GB` },
      { label: 'Total today', value: 'nothing (test payment)' },
    ],
  };
}

/** Back to the program that asked, or a page when there is none. */
function sendResult(context: Context, transaction: SandboxTransaction): Response | Promise<Response> {
  const { id, status, successUrl } = transaction;
  if (successUrl === null || status === 'ready') return sendSettled(context, status);
  // What the marker says is ours: it was given to `openTransaction`.
  const { checkout_session_id } = transaction.customData as CheckoutMarker;
  return context.redirect(
    withQuery(successUrl, {
      ...(status === 'completed' ? { status: 'pending', transaction_id: id } : { error: 'canceled' }),
      checkout_session_id,
    }),
  );
}

function sendSettled(context: Context, status: SandboxTransaction['status']): Response | Promise<Response> {
  const [heading, message] =
    status === 'completed'
      ? ['Payment received', 'Your tenant is being set up. You can close this page and return to your program.']
      : status === 'canceled'
        ? ['Checkout cancelled', 'Nothing was paid. You can close this page.']
        : ['Nothing was paid', 'The payment is still open. Go back to the payment page to go on.'];
  return sendPage(context, messagePage({ heading, message, sandbox: true }));
}

function sendUnknown(context: Context): Response | Promise<Response> {
  const message = 'The payment does not exist. Start the checkout again from the program that brought you here.';
  return sendPage(context, messagePage({ heading: 'Unknown payment', message, sandbox: true }), 404);
}

function sendUndelivered(context: Context): Response | Promise<Response> {
  const message = 'The payment could not be confirmed and nothing was paid. Go back and try again.';
  return sendPage(context, messagePage({ heading: 'Payment not confirmed', message, sandbox: true }), 502);
}
