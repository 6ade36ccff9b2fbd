import { ApiFailure } from '../http/errors.ts';
import type { Handlers } from '../http/handlers.ts';
import type { RouteDeps } from './deps.ts';
import { resolveTenant } from './resolve-tenant.ts';

/**
 * The handlers of `contract.subscription`. What has been paid for is left; what follows from a subscription's end follows
 * from its webhook.
 */
export function subscriptionHandlers(deps: RouteDeps): Handlers['subscription'] {
  async function resolveSubscription(request: Parameters<typeof resolveTenant>[1]) {
    const { subscriptionId, subscriptionStatus } = await resolveTenant(deps, request);
    if (subscriptionId !== null) return { id: subscriptionId, status: subscriptionStatus };
    throw new ApiFailure('The tenant has no subscription.', { status: 409, code: 'no_subscription' });
  }

  return {
    cancel: async ({ params, user }) => {
      const { id, status } = await resolveSubscription({ id: params.id, user });
      if (status !== 'canceled') await deps.billing.cancelSubscription(id, { when: 'period_end' });
      return undefined;
    },

    // Also of one that has ended: its invoices are there still.
    createPortalLink: async ({ params, user, signal }) => {
      const { id } = await resolveSubscription({ id: params.id, user });
      return await deps.billing.createPortalLink(id, { signal });
    },
  };
}
