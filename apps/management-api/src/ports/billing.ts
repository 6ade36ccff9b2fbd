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

/** Takes the money. Results come by webhook only, never from the browser's return. */
export interface Billing {
  listPlans(): Promise<readonly Plan[]>;
  openTransaction(request: {
    readonly priceId: string;
    readonly marker: CheckoutMarker;
    /** Where the browser goes after payment. */
    readonly successUrl: string | undefined;
  }): Promise<OpenedTransaction>;
  /** Ends a subscription now; one that has ended is no error. That it has ended is told by webhook. */
  cancelSubscription(subscriptionId: string): Promise<void>;
}
