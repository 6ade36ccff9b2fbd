import { Hono } from 'hono';
import { Refusal, sendEntity, sendPage, sendRefusal } from './answers.ts';
import {
  type Books,
  type CatalogEntry,
  createBooks,
  createId,
  type PaddleNotification,
  type Price,
  type Subscription,
  type Transaction,
} from './books.ts';
import { createFaults, type Fault } from './faults.ts';
import { createNotifier, type Destination } from './notifications.ts';
import {
  cancelBody,
  portalBody,
  priceQuery,
  readBody,
  readQuery,
  subscriptionPatch,
  transactionBody,
} from './requests.ts';
import { createSubscriptionLife, type SubscriptionLife } from './subscription-life.ts';

/** How the account is set up. */
export interface FakePaddleOptions {
  /** The one key that may do everything. */
  readonly apiKey: string;
  readonly catalog: readonly CatalogEntry[];
  readonly destination?: Destination | undefined;
  /** Hosts whose pages may show a checkout. @defaultValue `127.0.0.1` */
  readonly approvedHosts?: readonly string[] | undefined;
  /** Requests that are let through in {@link windowMs}. @defaultValue 240 */
  readonly limit?: number | undefined;
  /** @defaultValue 60000 */
  readonly windowMs?: number | undefined;
  /** What is said with a 429. @defaultValue 1 */
  readonly retryAfterSeconds?: number | undefined;
  /** How long the fault `silence` lasts, in milliseconds. @defaultValue 60000 */
  readonly silenceMs?: number | undefined;
}

/** An account of Paddle Billing in this process, with what people do to it. */
export interface FakePaddle extends SubscriptionLife {
  /** Answers as `https://api.paddle.com` does. */
  fetch(request: Request): Promise<Response>;
  readonly books: Books;
  /** Every notification that was ever sent, in order. */
  readonly notifications: readonly PaddleNotification[];
  /** `POST /transactions` and so on: what was asked of it and let through. */
  readonly requests: readonly string[];
  /** Lets the next requests go wrong. */
  failNext(...faults: readonly Fault[]): void;
  /** Waits until every notification was taken; gives those that nobody took. */
  settle(): Promise<readonly PaddleNotification[]>;
}

/** Stands in for Paddle where there is no network. It refuses what Paddle would refuse, and everything it does not know. */
export function createFakePaddle(options: FakePaddleOptions): FakePaddle {
  const { apiKey, catalog, destination, approvedHosts = ['127.0.0.1'] } = options;
  const { limit = 240, windowMs = 60_000, retryAfterSeconds = 1, silenceMs = 60_000 } = options;
  const books = createBooks(catalog, new Date().toISOString());
  const faults = createFaults({ limit, windowMs, retryAfterSeconds, silenceMs });
  const notifier = destination === undefined ? undefined : createNotifier(destination);
  const notifications: PaddleNotification[] = [];
  const requests: string[] = [];
  const life = createSubscriptionLife(books, (sent) => {
    notifications.push(...sent);
    notifier?.send(sent);
  });
  const app = new Hono();

  app.get('/prices', ({ req }) => {
    const query = readQuery(req.raw, priceQuery);
    const perPage = query.per_page ?? 50;
    const all = [...books.prices.values()].filter(
      (price) =>
        (query.status ?? 'active').split(',').includes(price.status) &&
        (query.recurring === undefined || (price.billing_cycle !== null) === (query.recurring === 'true')),
    );
    const from = query.after === undefined ? 0 : all.findIndex(({ id }) => id === query.after) + 1;
    const page = all.slice(from, from + perPage);
    const next = new URL(req.url);
    next.searchParams.set('after', page.at(-1)?.id ?? '');
    const withProduct = (price: Price): object =>
      query.include === 'product' ? { ...price, product: books.products.get(price.product_id) } : price;
    return sendPage(page.map(withProduct), {
      perPage,
      next: next.href,
      hasMore: from + perPage < all.length,
      total: all.length,
    });
  });

  app.post('/transactions', async ({ req }) => {
    const body = await readBody(req.raw, transactionBody);
    const items = body.items.map(({ price_id, quantity }) => {
      const price = books.prices.get(price_id);
      if (price?.status !== 'active') {
        throw new Refusal(400, 'transaction_price_not_found', { detail: 'A price does not exist or is archived.' });
      }
      return { price, quantity };
    });
    const url = body.checkout?.url ?? 'https://127.0.0.1/pay';
    if (!approvedHosts.includes(new URL(url).hostname)) {
      throw new Refusal(400, 'transaction_checkout_url_domain_is_not_approved', { detail: 'Not an approved domain.' });
    }
    const id = createId('txn');
    const now = new Date().toISOString();
    const page = new URL(url);
    page.searchParams.set('_ptxn', id);
    const transaction: Transaction = {
      id,
      // Without a customer there is nobody who could pay yet.
      status: 'draft',
      customer_id: body.customer_id ?? null,
      subscription_id: null,
      custom_data: body.custom_data ?? null,
      currency_code: 'USD',
      origin: 'api',
      collection_mode: body.collection_mode ?? 'automatic',
      items,
      payments: [],
      checkout: { url: page.href },
      created_at: now,
      updated_at: now,
      billed_at: null,
    };
    books.transactions.set(id, transaction);
    return sendEntity(transaction, 201);
  });

  app.get('/transactions/:id', ({ req }) => sendEntity(find(books.transactions, req.param('id'))));

  app.get('/subscriptions/:id', ({ req }) => {
    const subscription = find(books.subscriptions, req.param('id'));
    const page = `https://buyer-portal.paddle.com/subscriptions/${subscription.id}`;
    return sendEntity({ ...subscription, management_urls: { update_payment_method: page, cancel: `${page}/cancel` } });
  });

  app.patch('/subscriptions/:id', async ({ req }) => {
    await readBody(req.raw, subscriptionPatch);
    const subscription = find(books.subscriptions, req.param('id'));
    refuseCanceled(subscription);
    life.dropScheduledChange(subscription.id);
    return sendEntity(subscription);
  });

  app.post('/subscriptions/:id/cancel', async ({ req }) => {
    const { effective_from: from } = await readBody(req.raw, cancelBody);
    const subscription = find(books.subscriptions, req.param('id'));
    refuseCanceled(subscription);
    if (subscription.scheduled_change !== null) {
      throw new Refusal(400, 'subscription_locked_pending_changes', {
        detail: 'cannot update subscription, pending scheduled changes',
      });
    }
    life.cancel(subscription.id, from === 'immediately' ? 'now' : 'period_end');
    return sendEntity(subscription);
  });

  app.post('/customers/:id/portal-sessions', async ({ req }) => {
    const { subscription_ids: ids = [] } = await readBody(req.raw, portalBody);
    const customerId = req.param('id');
    if (!books.customers.has(customerId)) throw notFound(customerId);
    for (const id of ids) if (find(books.subscriptions, id).customer_id !== customerId) throw notFound(id);
    const token = createId('pga');
    const base = `https://customer-portal.paddle.com/${createId('cpl')}`;
    return sendEntity(
      {
        id: createId('cpls'),
        customer_id: customerId,
        urls: {
          general: { overview: `${base}?action=overview&token=${token}` },
          subscriptions: ids.map((id) => ({
            id,
            cancel_subscription: `${base}?action=cancel_subscription&subscription_id=${id}&token=${token}`,
            update_subscription_payment_method: `${base}?action=update&subscription_id=${id}&token=${token}`,
          })),
        },
        created_at: new Date().toISOString(),
      },
      201,
    );
  });

  app.notFound(() => sendRefusal(new Refusal(404, 'invalid_url', { detail: 'There is no such address.' })));
  app.onError((error) => {
    if (error instanceof Refusal) return sendRefusal(error);
    throw error;
  });

  return {
    ...life,
    books,
    notifications,
    requests,
    failNext: (...next) => faults.next(...next),
    settle: async () => (await notifier?.settle()) ?? [],
    fetch: async (request) => {
      try {
        return await faults.around(async () => {
          refuseStranger(request, apiKey);
          requests.push(`${request.method} ${new URL(request.url).pathname}`);
          return await app.fetch(request);
        });
      } catch (error) {
        if (error instanceof Refusal) return sendRefusal(error);
        throw error;
      }
    },
  };
}

function refuseStranger(request: Request, apiKey: string): void {
  const header = request.headers.get('authorization');
  if (header === null) throw new Refusal(403, 'authentication_missing', { detail: 'Authentication header missing.' });
  const [scheme, key] = header.split(' ');
  if (scheme?.toLowerCase() !== 'bearer' || key === undefined) {
    throw new Refusal(403, 'authentication_malformed', { detail: 'Authentication header incorrectly formatted.' });
  }
  if (key !== apiKey) throw new Refusal(403, 'invalid_token', { detail: 'The key is not known.' });
}

function refuseCanceled({ status }: Subscription): void {
  if (status !== 'canceled') return;
  throw new Refusal(400, 'subscription_update_when_canceled', {
    detail: 'cannot update subscription, as subscription is canceled',
  });
}

function find<T>(entities: ReadonlyMap<string, T>, id: string): T {
  const entity = entities.get(id);
  if (entity === undefined) throw notFound(id);
  return entity;
}

function notFound(id: string): Refusal {
  return new Refusal(404, 'not_found', { detail: `Entity ${id} not found` });
}
