import { randomBytes } from 'node:crypto';

/** A price of the catalog. Members are Paddle's own, as they go over the wire. */
export interface Price {
  readonly id: string;
  readonly product_id: string;
  readonly description: string;
  readonly name: string | null;
  readonly type: 'standard';
  readonly billing_cycle: { readonly interval: 'month' | 'year'; readonly frequency: number } | null;
  readonly trial_period: null;
  readonly tax_mode: 'account_setting';
  readonly unit_price: { readonly amount: string; readonly currency_code: 'USD' };
  readonly unit_price_overrides: readonly never[];
  readonly quantity: { readonly minimum: number; readonly maximum: number };
  readonly status: 'active' | 'archived';
  readonly custom_data: unknown;
  readonly created_at: string;
  readonly updated_at: string;
}

/** What prices belong to. */
export interface Product {
  readonly id: string;
  readonly name: string;
  readonly description: string | null;
  readonly type: 'standard';
  readonly tax_category: 'saas';
  readonly image_url: null;
  readonly custom_data: unknown;
  readonly status: 'active';
  readonly created_at: string;
  readonly updated_at: string;
}

/** One payment, before and after. */
export interface Transaction {
  readonly id: string;
  status: 'draft' | 'ready' | 'completed' | 'canceled' | 'past_due';
  customer_id: string | null;
  subscription_id: string | null;
  readonly custom_data: unknown;
  readonly currency_code: 'USD';
  readonly origin: 'api' | 'web' | 'subscription_recurring' | 'subscription_payment_method_change';
  readonly collection_mode: 'automatic' | 'manual';
  readonly items: readonly { readonly price: Price; readonly quantity: number }[];
  readonly payments: readonly never[];
  readonly checkout: { readonly url: string } | null;
  readonly created_at: string;
  updated_at: string;
  billed_at: string | null;
}

/** What is paid for again and again. */
export interface Subscription {
  readonly id: string;
  status: 'active' | 'past_due' | 'paused' | 'canceled';
  readonly customer_id: string;
  readonly currency_code: 'USD';
  readonly collection_mode: 'automatic';
  readonly billing_cycle: { readonly interval: 'month' | 'year'; readonly frequency: number };
  readonly started_at: string;
  readonly first_billed_at: string;
  next_billed_at: string | null;
  paused_at: string | null;
  canceled_at: string | null;
  current_billing_period: { readonly starts_at: string; readonly ends_at: string } | null;
  scheduled_change: {
    readonly action: 'cancel' | 'pause' | 'resume';
    readonly effective_at: string;
    readonly resume_at: null;
  } | null;
  items: readonly {
    readonly status: 'active';
    readonly quantity: number;
    readonly recurring: true;
    readonly price: Price;
    readonly product: Product;
    readonly created_at: string;
    readonly updated_at: string;
  }[];
  readonly custom_data: unknown;
  readonly created_at: string;
  updated_at: string;
}

/** A notification as it is sent. */
export interface PaddleNotification {
  readonly event_id: string;
  readonly event_type: string;
  readonly occurred_at: string;
  readonly notification_id: string;
  readonly data: object;
}

/** Everything that an account has. */
export interface Books {
  readonly products: Map<string, Product>;
  readonly prices: Map<string, Price>;
  readonly transactions: Map<string, Transaction>;
  readonly subscriptions: Map<string, Subscription>;
  readonly customers: Set<string>;
}

/** What is for sale, as somebody would enter it in Paddle's dashboard. */
export interface CatalogEntry {
  readonly priceId: string;
  readonly productName: string;
  readonly priceName?: string;
  readonly amount?: string;
  readonly status?: 'active' | 'archived';
  /** `null`: sold once and not again and again. */
  readonly interval?: 'month' | 'year' | null;
  readonly customData?: unknown;
  readonly productCustomData?: unknown;
}

const letters = 'abcdefghjkmnpqrstvwxyz0123456789';

/** An id of Paddle's form: a prefix and 26 characters. */
export function createId(prefix: string): string {
  return `${prefix}_01${[...randomBytes(24)].map((byte) => letters.charAt(byte % letters.length)).join('')}`;
}

/** Books with a catalog and nothing else. */
export function createBooks(catalog: readonly CatalogEntry[], at: string): Books {
  const products = new Map<string, Product>();
  const prices = new Map<string, Price>();
  for (const entry of catalog) {
    const product_id = `pro_${entry.priceId.slice(4)}`;
    const stamps = { created_at: at, updated_at: at };
    products.set(product_id, {
      id: product_id,
      name: entry.productName,
      description: null,
      type: 'standard',
      tax_category: 'saas',
      image_url: null,
      custom_data: entry.productCustomData ?? null,
      status: 'active',
      ...stamps,
    });
    const { interval = 'month' } = entry;
    prices.set(entry.priceId, {
      id: entry.priceId,
      product_id,
      description: `Price of ${entry.productName}`,
      name: entry.priceName ?? null,
      type: 'standard',
      billing_cycle: interval === null ? null : { interval, frequency: 1 },
      trial_period: null,
      tax_mode: 'account_setting',
      unit_price: { amount: entry.amount ?? '1000', currency_code: 'USD' },
      unit_price_overrides: [],
      quantity: { minimum: 1, maximum: 1 },
      status: entry.status ?? 'active',
      custom_data: entry.customData ?? null,
      ...stamps,
    });
  }
  return { products, prices, transactions: new Map(), subscriptions: new Map(), customers: new Set() };
}
