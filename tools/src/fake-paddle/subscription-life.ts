import {
  type Books,
  createId,
  type PaddleNotification,
  type Product,
  type Subscription,
  type Transaction,
} from './books.ts';

/** What people, cards and the calendar do. Each tells the account's destination as Paddle would. */
export interface SubscriptionLife {
  /** Somebody pays for a transaction; the id is the subscription's that it begins. */
  pay(transactionId: string): string;
  /** The card is refused at the end of a period. */
  failPayment(subscriptionId: string): void;
  /** What is owed is paid, late. */
  payDebt(subscriptionId: string): void;
  pause(subscriptionId: string): void;
  resume(subscriptionId: string): void;
  /** Ends the subscription, now or when the period ends. */
  cancel(subscriptionId: string, when: 'now' | 'period_end'): void;
  dropScheduledChange(subscriptionId: string): void;
  /** The subscription is for another price of the catalog from now on. */
  changePlan(subscriptionId: string, priceId: string): void;
  /** The period ends: what is scheduled happens, or the next period is paid for. */
  endPeriod(subscriptionId: string): void;
}

const month = 30 * 24 * 60 * 60_000;

/** The life of an account's subscriptions; `notify` is given what Paddle would send, in its order. */
export function createSubscriptionLife(
  books: Books,
  notify: (notifications: readonly PaddleNotification[]) => void,
): SubscriptionLife {
  let lastMoment = 0;
  // Two things that happen in one millisecond happen one after the other all the same.
  const stamp = (): string => new Date((lastMoment = Math.max(Date.now(), lastMoment + 1))).toISOString();

  function tell(event_type: string, entity: object, more: object = {}): PaddleNotification {
    const notification_id = createId('ntf');
    // As it is now: what happens to it later is told later.
    const data = structuredClone({ ...entity, ...more });
    return { event_id: createId('evt'), event_type, occurred_at: stamp(), notification_id, data };
  }

  function subscriptionOf(id: string): Subscription {
    const subscription = books.subscriptions.get(id);
    if (subscription === undefined) throw new Error(`No subscription ${id}`);
    return subscription;
  }

  function productOf(id: string): Product {
    const product = books.products.get(id);
    if (product === undefined) throw new Error(`No product ${id}`);
    return product;
  }

  function change(id: string, changes: Partial<Subscription>): Subscription {
    return Object.assign(subscriptionOf(id), { ...changes, updated_at: new Date().toISOString() });
  }

  function bill(subscription: Subscription, origin: Transaction['origin']): Transaction {
    const now = new Date().toISOString();
    const transaction: Transaction = {
      id: createId('txn'),
      status: 'completed',
      customer_id: subscription.customer_id,
      subscription_id: subscription.id,
      custom_data: subscription.custom_data,
      currency_code: 'USD',
      origin,
      collection_mode: 'automatic',
      items: subscription.items.map(({ price, quantity }) => ({ price, quantity })),
      payments: [],
      checkout: null,
      created_at: now,
      updated_at: now,
      billed_at: now,
    };
    books.transactions.set(transaction.id, transaction);
    return transaction;
  }

  function end(id: string): void {
    const subscription = change(id, {
      status: 'canceled',
      canceled_at: new Date().toISOString(),
      next_billed_at: null,
      current_billing_period: null,
      scheduled_change: null,
    });
    notify([tell('subscription.updated', subscription), tell('subscription.canceled', subscription)]);
  }

  return {
    pay: (transactionId) => {
      const transaction = books.transactions.get(transactionId);
      if (transaction === undefined) throw new Error(`No transaction ${transactionId}`);
      // A second click on a page that shows the receipt already.
      if (transaction.subscription_id !== null) return transaction.subscription_id;
      const price = transaction.items[0]?.price;
      if (price === undefined || price.billing_cycle === null) throw new Error('Nothing that is paid for again');
      const now = Date.now();
      const at = new Date(now).toISOString();
      const customer_id = createId('ctm');
      books.customers.add(customer_id);
      const endsAt = new Date(now + month).toISOString();
      const subscription: Subscription = {
        id: createId('sub'),
        status: 'active',
        customer_id,
        currency_code: 'USD',
        collection_mode: 'automatic',
        billing_cycle: price.billing_cycle,
        started_at: at,
        first_billed_at: at,
        next_billed_at: endsAt,
        paused_at: null,
        canceled_at: null,
        current_billing_period: { starts_at: at, ends_at: endsAt },
        scheduled_change: null,
        items: transaction.items.map(({ quantity, price: sold }) => ({
          status: 'active',
          quantity,
          recurring: true,
          price: sold,
          product: productOf(sold.product_id),
          created_at: at,
          updated_at: at,
        })),
        custom_data: transaction.custom_data,
        created_at: at,
        updated_at: at,
      };
      books.subscriptions.set(subscription.id, subscription);
      const paid = { status: 'completed' as const, customer_id, subscription_id: subscription.id, billed_at: at };
      Object.assign(transaction, { ...paid, updated_at: at });
      notify([
        tell('transaction.paid', transaction),
        tell('subscription.created', subscription, { transaction_id: transactionId }),
        tell('subscription.activated', subscription),
        tell('transaction.completed', transaction),
      ]);
      return subscription.id;
    },
    failPayment: (id) => {
      const subscription = change(id, { status: 'past_due' });
      notify([tell('subscription.updated', subscription), tell('subscription.past_due', subscription)]);
    },
    payDebt: (id) => {
      const subscription = change(id, { status: 'active' });
      const transaction = bill(subscription, 'subscription_recurring');
      notify([tell('transaction.completed', transaction), tell('subscription.updated', subscription)]);
    },
    pause: (id) => {
      const subscription = change(id, {
        status: 'paused',
        paused_at: new Date().toISOString(),
        next_billed_at: null,
        current_billing_period: null,
      });
      notify([tell('subscription.updated', subscription), tell('subscription.paused', subscription)]);
    },
    resume: (id) => {
      const now = Date.now();
      const ends_at = new Date(now + month).toISOString();
      const subscription = change(id, {
        status: 'active',
        paused_at: null,
        next_billed_at: ends_at,
        current_billing_period: { starts_at: new Date(now).toISOString(), ends_at },
      });
      notify([tell('subscription.updated', subscription), tell('subscription.resumed', subscription)]);
    },
    cancel: (id, when) => {
      if (when === 'now') {
        end(id);
        return;
      }
      const effective_at = subscriptionOf(id).current_billing_period?.ends_at ?? new Date().toISOString();
      const subscription = change(id, { scheduled_change: { action: 'cancel', effective_at, resume_at: null } });
      notify([tell('subscription.updated', subscription)]);
    },
    dropScheduledChange: (id) => {
      notify([tell('subscription.updated', change(id, { scheduled_change: null }))]);
    },
    changePlan: (id, priceId) => {
      const price = books.prices.get(priceId);
      if (price === undefined) throw new Error(`No price ${priceId}`);
      const product = productOf(price.product_id);
      const items = subscriptionOf(id).items.map((item) => ({ ...item, price, product }));
      notify([tell('subscription.updated', change(id, { items }))]);
    },
    endPeriod: (id) => {
      const { scheduled_change: scheduled, status, current_billing_period: period } = subscriptionOf(id);
      if (scheduled?.action === 'cancel') {
        end(id);
        return;
      }
      if (status !== 'active' || period === null) return;
      const starts_at = period.ends_at;
      const ends_at = new Date(Date.parse(starts_at) + month).toISOString();
      const subscription = change(id, { next_billed_at: ends_at, current_billing_period: { starts_at, ends_at } });
      notify([
        tell('transaction.completed', bill(subscription, 'subscription_recurring')),
        tell('subscription.updated', subscription),
      ]);
    },
  };
}
