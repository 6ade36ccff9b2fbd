import { setTimeout as sleep } from 'node:timers/promises';
import type { CheckoutEvent } from '@sp/cloud-api/contract';
import { createCheckoutSession, findCheckoutSession } from '../billing/checkout-sessions.ts';
import { ApiFailure } from '../http/errors.ts';
import { lastEventId, type NumberedEvent } from '../http/event-stream.ts';
import type { Handlers } from '../http/handlers.ts';
import { findOwnedTenant } from '../tenants/tenants.ts';
import type { RouteDeps } from './deps.ts';
import { followTenant, isEnded } from './follow-tenant.ts';

/** The events after which whoever paid has what they need to go on. */
const lastTypes: ReadonlySet<string> = new Set([
  'infrastructure_ready',
  'tenant_ready',
  'provisioning_failed',
  'tenant_deleted',
]);

/** How often a stream looks whether the payment has come. */
const paymentPollMs = 500;

/** The handlers of `contract.plans` and `contract.checkout`. */
export function checkoutHandlers(deps: RouteDeps): Pick<Handlers, 'plans' | 'checkout'> {
  return {
    plans: { list: () => deps.billing.listPlans() },
    checkout: {
      create: ({ user, body, effect }) => createCheckoutSession(deps, { ...body, userId: user.id, effect }),

      get: async ({ params, user }) => {
        const session = await findCheckoutSession(deps.store, { id: params.id, userId: user.id });
        if (session === undefined) throw checkoutNotFound();
        const { id, transactionId, tenantId, tenantName } = session;
        return { checkoutSessionId: id, transactionId, ...(tenantId === null ? {} : { tenantId, tenantName }) };
      },

      events: async ({ params, user, request }) => {
        const wanted = { id: params.id, userId: user.id };
        const session = await findCheckoutSession(deps.store, wanted);
        if (session === undefined) throw checkoutNotFound();
        const tenant =
          session.tenantId === null
            ? undefined
            : await findOwnedTenant(deps.store, { id: session.tenantId, ownerId: user.id });
        const after = Math.min(lastEventId(request), tenant?.eventSequence ?? 0);
        return {
          ended: tenant !== undefined && (await isEnded(deps, { tenant, after, lastTypes })),
          open: async function* (signal): AsyncGenerator<NumberedEvent<CheckoutEvent>> {
            const tenantId = session.tenantId ?? (await waitForPayment(deps, { ...wanted, signal }));
            if (tenantId === undefined) return;
            const head = tenant?.eventSequence ?? 0;
            for await (const event of followTenant(deps, { tenantId, after, head, lastTypes, signal })) {
              const { sequence, tenantName, ...common } = event;
              yield { sequence, event: { ...common, tenantName, checkoutSessionId: session.id } };
            }
          },
        };
      },
    },
  };
}

async function waitForPayment(
  deps: RouteDeps,
  { id, userId, signal }: { readonly id: string; readonly userId: string; readonly signal: AbortSignal },
): Promise<string | undefined> {
  while (!signal.aborted) {
    const session = await findCheckoutSession(deps.store, { id, userId });
    if (session === undefined) return undefined;
    if (session.tenantId !== null) return session.tenantId;
    await sleep(paymentPollMs, undefined, { signal }).catch(() => {});
  }
  return undefined;
}

function checkoutNotFound(): ApiFailure {
  return new ApiFailure('There is no such checkout.', { status: 404, code: 'checkout_not_found' });
}
