import { setTimeout as delay } from 'node:timers/promises';
import type { Context } from 'hono';
import { parsePaddleEvent } from '../billing/paddle-event.ts';
import { type ProcessDeps, processWebhook, storeWebhook } from '../billing/process-webhook.ts';
import { signatureHeader, verifyWebhook } from '../billing/webhook-signature.ts';
import { readBytes } from '../http/body.ts';
import { ApiFailure } from '../http/errors.ts';
import { loggableError } from '../http/loggable-error.ts';

/** How long an answer waits for what follows from its webhook, in milliseconds. The provider itself waits 5000. */
const patienceMs = 1000;

/**
 * Takes the payment provider's webhooks. The signature is over the bytes, so nothing is parsed before it is checked.
 * One that is in the books is answered with 200, whatever becomes of it: what was not done is done by the maintenance.
 */
export async function handleWebhook(
  context: Context,
  deps: ProcessDeps & {
    readonly webhookSecrets: readonly string[];
    readonly webhookToleranceSeconds?: number | undefined;
    readonly now?: (() => number) | undefined;
  },
): Promise<Response> {
  const { logger, webhookSecrets, webhookToleranceSeconds, now } = deps;
  const body = await readBytes(context.req.raw);
  const good = verifyWebhook(body, {
    header: context.req.header(signatureHeader) ?? null,
    secrets: webhookSecrets,
    toleranceSeconds: webhookToleranceSeconds,
    now,
  });
  if (!good) throw new ApiFailure('The signature is not good.', { status: 401, code: 'invalid_signature' });

  const event = parsePaddleEvent(body);
  await storeWebhook(deps, event);
  const { eventId } = event;
  const processed = processWebhook(deps, eventId).catch((error: unknown) => {
    logger.error({ eventId, err: loggableError(error) }, 'webhook could not be processed');
  });
  // Mostly that is done at once, and then whoever paid finds their tenant when they come back.
  const patience = new AbortController();
  await Promise.race([processed, delay(patienceMs, undefined, { signal: patience.signal }).catch(() => {})]);
  patience.abort();
  return context.json({ received: true });
}
