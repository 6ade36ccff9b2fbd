import type { CheckoutEvent } from '@sp/cloud-api';

/** What was bought. */
export interface CheckoutCallbackResult {
  /** The payment's transaction; the session's id where it is not known (a resumed checkout). */
  readonly transactionId: string;
  /** The new tenant. */
  readonly tenantId: string;
  /** Name of the app that runs its machine, where the server says it. */
  readonly flyAppName?: string | undefined;
  /** True: the infrastructure waits for a first image; false: the tenant runs. */
  readonly needsDeploy: boolean;
  /** The checkout that paid for it. */
  readonly checkoutSessionId: string;
}

/** What happens during a checkout. */
export type CheckoutFlowEvent =
  | { readonly type: 'listening'; readonly redirectUri: string }
  /** The page to pay on, for those whose browser did not open. */
  | { readonly type: 'checkout-url'; readonly url: string; readonly checkoutSessionId: string }
  | { readonly type: 'browser-failed'; readonly message: string }
  | { readonly type: 'payment-confirmed' }
  /** A callback that says nothing about this checkout; the flow goes on. */
  | { readonly type: 'callback-invalid'; readonly message: string }
  | { readonly type: 'provisioning'; readonly event: CheckoutEvent };
