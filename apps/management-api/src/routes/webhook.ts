import type { Context } from 'hono';
import { applyEvent } from '../billing/apply-event.ts';
import { parsePaddleEvent } from '../billing/paddle-event.ts';
import { signatureHeader, verifyWebhook } from '../billing/webhook-signature.ts';
import { readBytes } from '../http/body.ts';
import { ApiFailure } from '../http/errors.ts';
import type { RouteDeps } from './deps.ts';

/** Takes the payment provider's webhooks. The signature is over the bytes, so nothing is parsed before it is checked. */
export async function handleWebhook(
  context: Context,
  deps: RouteDeps & {
    readonly webhookSecrets: readonly string[];
    readonly webhookToleranceSeconds?: number | undefined;
  },
): Promise<Response> {
  const { store, billing, workflows, hostname, logger, webhookSecrets, webhookToleranceSeconds, now } = deps;
  const body = await readBytes(context.req.raw);
  const good = verifyWebhook(body, {
    header: context.req.header(signatureHeader) ?? null,
    secrets: webhookSecrets,
    toleranceSeconds: webhookToleranceSeconds,
    now,
  });
  if (!good) throw new ApiFailure('The signature is not good.', { status: 401, code: 'invalid_signature' });

  const event = parsePaddleEvent(body);
  const { eventId, eventType } = event;
  const applied = await applyEvent({ store, hostname, listPlans: () => billing.listPlans() }, event);
  logger.info({ eventId, eventType, ...applied }, 'webhook');
  if (applied.outcome === 'unmatched') logger.warn({ eventId, eventType }, 'payment without a checkout of ours');
  // Also for a repeated webhook: the one before may have died at this line.
  if (applied.outcome === 'paid' && applied.provisioning) await workflows.startProvisioning(applied.tenantId);
  if (applied.outcome === 'canceled') await workflows.settleSubscription(applied.tenantId);
  return context.json({ received: true });
}
