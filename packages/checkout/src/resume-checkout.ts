import type { CloudApiClient } from '@sp/cloud-api';
import { type CheckoutError, isCheckoutError } from './checkout-error.ts';
import type { CheckoutCallbackResult, CheckoutFlowEvent } from './checkout-result.ts';
import { withDeadline } from './deadline.ts';
import { followSession } from './follow-session.ts';
import { waitForProvisioning } from './wait-for-provisioning.ts';

/** Which checkout to resume. */
export interface ResumeCheckoutOptions {
  /** A client, or the two parts of one that are needed. */
  readonly api: Pick<CloudApiClient, 'checkout' | 'tenants'>;
  /** `checkoutSessionId` of the checkout. */
  readonly sessionId: string;
  /** `transactionId` of the checkout, for the result. @defaultValue asked for */
  readonly transactionId?: string | undefined;
  /** Told of each step. */
  readonly onEvent?: ((event: CheckoutFlowEvent) => void) | undefined;
  /** For everything together, in milliseconds. @defaultValue 300_000 */
  readonly timeoutMs?: number | undefined;
  /** Ends the wait with `SP_CHECKOUT_ABORTED`; the checkout itself goes on. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Waits for a checkout that was begun before: after a crash, or in another program. The session's id is in the event
 * `checkout-url` and in every error of the flow. What its events tell may be long ago, so the tenant is asked in the end.
 *
 * @throws {@link CheckoutError} `SP_CHECKOUT_PROVISIONING_FAILED`, `SP_CHECKOUT_TIMEOUT`, `SP_CHECKOUT_ABORTED`
 * @example
 * const { tenantId } = await resumeCheckout({ api, sessionId: 'cs_1' });
 */
export async function resumeCheckout(options: ResumeCheckoutOptions): Promise<CheckoutCallbackResult> {
  const { api, sessionId: checkoutSessionId, timeoutMs = 300_000, signal } = options;
  const facts = (): { checkoutSessionId: string } => ({ checkoutSessionId });
  return withDeadline({ what: `checkout ${checkoutSessionId}`, timeoutMs, signal, facts }, async (signal) => {
    const [session, transactionId] = await Promise.all([
      sessionEnd(options, signal),
      options.transactionId ?? findTransaction(options, signal),
    ]);
    const { tenantId, flyAppName, failure } = session;
    const { needsDeploy } = await waitForProvisioning({ api, tenantId, timeoutMs, signal }).catch((error: unknown) => {
      // The event knows more about it than the status.
      throw failure !== undefined && isFailure(error) ? failure : error;
    });
    return { transactionId: transactionId ?? checkoutSessionId, tenantId, flyAppName, needsDeploy, checkoutSessionId };
  });
}

interface SessionEnd {
  readonly tenantId: string;
  readonly flyAppName?: string | undefined;
  /** Not the last word: somebody may have had it tried again since. */
  readonly failure?: CheckoutError;
}

async function sessionEnd(
  { api, sessionId: checkoutSessionId, onEvent }: ResumeCheckoutOptions,
  signal: AbortSignal,
): Promise<SessionEnd> {
  try {
    return await followSession({
      api,
      checkoutSessionId,
      transactionId: checkoutSessionId,
      signal,
      retryMs: 2000,
      onEvent: (event) => onEvent?.({ type: 'provisioning', event }),
    });
  } catch (error) {
    if (!isFailure(error) || error.tenantId === undefined) throw error;
    return { tenantId: error.tenantId, failure: error };
  }
}

/** Nothing depends on it, so a server that does not tell is no obstacle. */
async function findTransaction(
  { api, sessionId }: ResumeCheckoutOptions,
  signal: AbortSignal,
): Promise<string | undefined> {
  return api.checkout.get(sessionId, { signal }).then(
    ({ transactionId }) => transactionId,
    () => undefined,
  );
}

function isFailure(error: unknown): error is CheckoutError {
  return isCheckoutError(error) && error.code === 'SP_CHECKOUT_PROVISIONING_FAILED';
}
