import type { Plan } from '@sp/cloud-api/contract';

/** What travels with a payment and comes back in its webhooks. */
export interface CheckoutMarker {
  readonly checkout_session_id: string;
  readonly user_id: string;
}

/** A payment page. */
export interface OpenedTransaction {
  readonly transactionId: string;
  readonly checkoutUrl: string;
}

/** A subscription, as the provider has it now. */
export interface ProviderSubscription {
  /** `active`, `trialing`, `past_due`, `paused` or `canceled`. */
  readonly status: string;
  readonly changedAt: Date;
  /** End of what has been paid for, where the provider says it. */
  readonly paidUntil: Date | undefined;
  /** The plan that it is for, where the provider says one. */
  readonly plan?: Plan | undefined;
}

/** A transaction that was paid. */
export interface Payment {
  /** The subscription that it began. */
  readonly subscriptionId: string;
  readonly paidAt: Date;
}

/**
 * Takes the money. Results come by webhook, never from the browser's return; what a webhook did not tell can be looked up.
 * Failures are `BillingError`s.
 */
export interface Billing {
  listPlans(options?: { readonly signal?: AbortSignal | undefined }): Promise<readonly Plan[]>;
  openTransaction(request: {
    readonly priceId: string;
    readonly marker: CheckoutMarker;
    /** Where the browser goes after payment. */
    readonly successUrl: string | undefined;
    readonly signal?: AbortSignal | undefined;
  }): Promise<OpenedTransaction>;
  /** Ends a subscription; one that has ended, or will, is no error. That it has ended is told by webhook. */
  cancelSubscription(
    subscriptionId: string,
    options?: {
      /** `period_end`: what has been paid for is left. @defaultValue 'now' */
      readonly when?: 'now' | 'period_end' | undefined;
      readonly signal?: AbortSignal | undefined;
    },
  ): Promise<void>;
  /**
   * A page of the provider where whoever pays for a subscription sees invoices, changes the card, or cancels. The address
   * logs them in: it is made for one visit, and for nobody else.
   */
  createPortalLink(
    subscriptionId: string,
    options?: { readonly signal?: AbortSignal | undefined },
  ): Promise<{ readonly url: string }>;
  /** How a subscription is; `undefined`: there is none. */
  findSubscription(
    subscriptionId: string,
    options?: { readonly signal?: AbortSignal | undefined },
  ): Promise<ProviderSubscription | undefined>;
  /** Whether a transaction was paid; `undefined`: not yet, or there is none. */
  findPayment(
    transactionId: string,
    options?: { readonly signal?: AbortSignal | undefined },
  ): Promise<Payment | undefined>;
}
