import { ApiFailure } from '../http/errors.ts';
import type { Handlers } from '../http/handlers.ts';
import type { RouteDeps } from './deps.ts';
import { resolveTenant } from './resolve-tenant.ts';

/**
 * The handlers of `contract.subscription`. What has been paid for is left; what follows from a subscription's end follows
 * from its webhook.
 */
export function subscriptionHandlers(deps: RouteDeps): Handlers['subscription'] {
  return {
    cancel: async ({ params, user }) => {
      const { subscriptionId, subscriptionStatus } = await resolveTenant(deps, { id: params.id, user });
      if (subscriptionId === null) {
        throw new ApiFailure('The tenant has no subscription.', { status: 409, code: 'no_subscription' });
      }
      if (subscriptionStatus !== 'canceled') {
        await deps.billing.cancelSubscription(subscriptionId, { when: 'period_end' });
      }
      return undefined;
    },
  };
}
