import { type Context, Hono } from 'hono';
import { readForm } from '../http/body.ts';
import { loggableError } from '../http/loggable-error.ts';
import { messagePage } from '../pages/message-page.ts';
import { sendPage } from '../pages/page.ts';
import { type PortalAction, sandboxPortalPage } from '../pages/sandbox-portal-page.ts';
import type { Store } from '../store/database.ts';
import { sandboxPlans } from './sandbox-plans.ts';
import { changeSubscription, findSubscription, type SandboxSubscription } from './sandbox-subscriptions.ts';
import type { SandboxChange, WebhookDelivery } from './sandbox-webhook.ts';

const actions: Readonly<Record<SandboxSubscription['subscriptionStatus'], readonly PortalAction[]>> = {
  active: [
    { value: 'updated', label: 'Change the plan' },
    { value: 'past_due', label: 'Let a payment fail' },
    { value: 'paused', label: 'Pause' },
    { value: 'canceled', label: 'Cancel' },
  ],
  past_due: [
    { value: 'paid', label: 'Pay what is owed' },
    { value: 'paused', label: 'Pause' },
    { value: 'canceled', label: 'Cancel' },
  ],
  paused: [
    { value: 'resumed', label: 'Go on' },
    { value: 'canceled', label: 'Cancel' },
  ],
  canceled: [],
};

/** The sandbox provider's page about a subscription. */
export function sandboxPortalPages(options: { readonly store: Store } & WebhookDelivery): Hono {
  const { store, logger } = options;
  const pages = new Hono();

  pages.get('/sandbox/portal/:id', async (context) => {
    const subscription = await findSubscription(store, context.req.param('id'));
    return subscription === undefined ? sendUnknown(context) : sendSubscription(context, subscription);
  });

  pages.post('/sandbox/portal/:id', async (context) => {
    const form = await readForm(context.req.raw);
    const subscription = await findSubscription(store, context.req.param('id'));
    if (subscription === undefined) return sendUnknown(context);
    const { subscriptionId, subscriptionStatus } = subscription;
    const action = form.get('action');
    // A page that was open for longer than what it shows: the answer shows what there is now.
    if (actions[subscriptionStatus].some(({ value }) => value === action)) {
      try {
        await changeSubscription(options, { subscriptionId, change: action as SandboxChange });
      } catch (error) {
        logger.error({ subscriptionId, err: loggableError(error) }, 'sandbox subscription was not changed');
        const message = 'The change could not be told to the cloud, so it was not made. Go back and try again.';
        return sendPage(context, messagePage({ heading: 'Nothing has changed', message, sandbox: true }), 502);
      }
    }
    return context.redirect(`/sandbox/portal/${subscriptionId}`, 303);
  });
  return pages;
}

function sendSubscription(context: Context, subscription: SandboxSubscription): Response | Promise<Response> {
  const { subscriptionId, subscriptionStatus: status, priceId } = subscription;
  const plan = sandboxPlans.find(({ paddlePriceId }) => paddlePriceId === priceId)?.name ?? priceId;
  return sendPage(context, sandboxPortalPage({ subscriptionId, plan, status, actions: actions[status] }));
}

function sendUnknown(context: Context): Response | Promise<Response> {
  const message = 'There is no such subscription. Open the page again from the program that brought you here.';
  return sendPage(context, messagePage({ heading: 'Unknown subscription', message, sandbox: true }), 404);
}
