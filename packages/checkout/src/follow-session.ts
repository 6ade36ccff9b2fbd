import { setTimeout as delay } from 'node:timers/promises';
import { type CheckoutEvent, type CloudApiClient, type CloudApiError, isCloudApiError } from '@sp/cloud-api';
import type { CheckoutCallbackResult } from './checkout-result.ts';
import { provisioningFailed } from './provisioning-outcome.ts';

/** What is followed. */
export interface FollowSessionOptions {
  readonly api: Pick<CloudApiClient, 'checkout'>;
  readonly checkoutSessionId: string;
  readonly transactionId: string;
  readonly onEvent: (event: CheckoutEvent) => void;
  readonly signal: AbortSignal;
  /** Milliseconds before a stream that broke is asked for again. */
  readonly retryMs: number;
}

/**
 * Follows a session's events to their end. A stream that fails is asked for again, as long as the signal lets it: the
 * payment may come minutes later, and some servers do not know a session before. What the server says is gone is not.
 */
export async function followSession(options: FollowSessionOptions): Promise<CheckoutCallbackResult> {
  const { api, checkoutSessionId, transactionId, onEvent, signal, retryMs } = options;
  const seen = new Set<string>();
  for (;;) {
    try {
      for await (const event of api.checkout.events(checkoutSessionId, { signal })) {
        // A new stream starts from the beginning.
        const key = JSON.stringify([event.eventType, event.status, event.message]);
        if (!seen.has(key)) onEvent(event);
        seen.add(key);
        if (event.eventType === 'provisioning_failed') throw provisioningFailed(event.tenantId, event.message);
        if (event.eventType === 'tenant_deleted') throw provisioningFailed(event.tenantId, 'it was deleted');
        const needsDeploy = event.eventType === 'infrastructure_ready';
        if (!needsDeploy && event.eventType !== 'tenant_ready') continue;
        const { tenantId, flyAppName } = event;
        return { transactionId, tenantId, flyAppName, needsDeploy, checkoutSessionId };
      }
    } catch (error) {
      if (!isCloudApiError(error) || isFinal(error)) throw error;
    }
    await delay(retryMs, undefined, { signal });
  }
}

/**
 * What no repetition mends: without a valid login, the server will never show the session, and one that it says by name
 * it does not have was never opened there, or is no more. Any other 404 may be a server that shows paid sessions only, or
 * a proxy that is being set up anew: neither says anything about what may be paid.
 */
function isFinal({ code, serverCode }: CloudApiError): boolean {
  const final = ['SP_API_UNAUTHORIZED', 'SP_API_FORBIDDEN', 'SP_API_INVALID_REQUEST', 'SP_API_ABORTED', 'SP_API_GONE'];
  return final.includes(code) || serverCode === 'checkout_not_found';
}
