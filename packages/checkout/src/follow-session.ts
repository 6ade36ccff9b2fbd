import { setTimeout as delay } from 'node:timers/promises';
import { type CheckoutEvent, type CloudApiClient, isCloudApiError } from '@sp/cloud-api';
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
 * payment may come minutes later, and some servers do not know a session before.
 */
export async function followSession(options: FollowSessionOptions): Promise<CheckoutCallbackResult> {
  const { api, checkoutSessionId, transactionId, onEvent, signal, retryMs } = options;
  const seen = new Set<string>();
  let unknown = 0;
  for (;;) {
    try {
      for await (const event of api.checkout.events(checkoutSessionId, { signal })) {
        unknown = 0;
        // A new stream starts from the beginning.
        const key = JSON.stringify([event.eventType, event.status, event.message]);
        if (!seen.has(key)) onEvent(event);
        seen.add(key);
        if (event.eventType === 'provisioning_failed') throw provisioningFailed(event.tenantId, event.message);
        const needsDeploy = event.eventType === 'infrastructure_ready';
        if (!needsDeploy && event.eventType !== 'tenant_ready') continue;
        const { tenantId, flyAppName } = event;
        return { transactionId, tenantId, flyAppName, needsDeploy, checkoutSessionId };
      }
    } catch (error) {
      if (!isCloudApiError(error) || isFinal(error.code)) throw error;
      if (error.serverCode === 'checkout_not_found') unknown += 1;
      if (unknown >= patience) throw error;
    }
    await delay(retryMs, undefined, { signal });
  }
}

/** What no repetition mends: without a valid login, the server will never show the session. */
/** A session that was just opened may not be known everywhere yet; one that stays unknown never was. */
const patience = 4;

function isFinal(code: string): boolean {
  return ['SP_API_UNAUTHORIZED', 'SP_API_FORBIDDEN', 'SP_API_INVALID_REQUEST', 'SP_API_ABORTED'].includes(code);
}
