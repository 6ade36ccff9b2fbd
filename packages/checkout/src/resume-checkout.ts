import type { CloudApiClient } from '@sp/cloud-api';
import type { CheckoutCallbackResult, CheckoutFlowEvent } from './checkout-result.ts';
import { withDeadline } from './deadline.ts';
import { followSession } from './follow-session.ts';

/** Which checkout to resume. */
export interface ResumeCheckoutOptions {
  readonly api: Pick<CloudApiClient, 'checkout'>;
  /** `checkoutSessionId` of the checkout. */
  readonly sessionId: string;
  /** `transactionId` of the checkout, for the result. @defaultValue the session's id */
  readonly transactionId?: string | undefined;
  readonly onEvent?: ((event: CheckoutFlowEvent) => void) | undefined;
  /** @defaultValue 300_000 */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Waits for a checkout that was begun before, by its events alone: after a crash, or in another program. The session's
 * id is in the event `checkout-url` and in every error of the flow.
 *
 * @throws {@link CheckoutError} `SP_CHECKOUT_PROVISIONING_FAILED`, `SP_CHECKOUT_TIMEOUT`, `SP_CHECKOUT_ABORTED`
 * @example
 * const { tenantId } = await resumeCheckout({ api, sessionId: 'cs_1' });
 */
export async function resumeCheckout(options: ResumeCheckoutOptions): Promise<CheckoutCallbackResult> {
  const { api, sessionId: checkoutSessionId, onEvent, timeoutMs = 300_000, signal } = options;
  const { transactionId = checkoutSessionId } = options;
  const facts = (): { checkoutSessionId: string } => ({ checkoutSessionId });
  return withDeadline({ what: `checkout ${checkoutSessionId}`, timeoutMs, signal, facts }, (signal) =>
    followSession({
      api,
      checkoutSessionId,
      transactionId,
      signal,
      retryMs: 2000,
      onEvent: (event) => onEvent?.({ type: 'provisioning', event }),
    }),
  );
}
