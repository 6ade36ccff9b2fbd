import { and, asc, eq, gt, isNull } from 'drizzle-orm';
import type { Logger } from 'pino';
import { loggableError } from '../http/loggable-error.ts';
import { webhookEvents } from '../store/schema.ts';
import type { Workflows } from '../workflows/engine.ts';
import { type ApplyDeps, applyEvent } from './apply-event.ts';
import { type PaddleEvent, readPaddleEvent } from './paddle-event.ts';

/** What {@link processWebhook} needs. */
export interface ProcessDeps extends ApplyDeps {
  readonly workflows: Pick<Workflows, 'startProvisioning' | 'settleSubscription'>;
  readonly logger: Logger;
}

/** As long as the provider itself would try to tell: what nobody could make sense of by then stays as it is. */
const pendingMs = 3 * 24 * 60 * 60_000;

/** Puts a webhook into the books; what follows from it is done by {@link processWebhook}. The same one again is nothing. */
export async function storeWebhook({ store }: Pick<ProcessDeps, 'store'>, event: PaddleEvent): Promise<void> {
  const { eventId, eventType, occurredAt, payload } = event;
  await store.db.insert(webhookEvents).values({ eventId, eventType, occurredAt, payload }).onConflictDoNothing();
}

/**
 * Does what follows from a webhook that is stored. It is marked when all is done, and everything before may be repeated:
 * a process that dies in between leaves it to {@link processPendingWebhooks}.
 */
export async function processWebhook(deps: ProcessDeps, eventId: string): Promise<void> {
  const { store, workflows, logger } = deps;
  const [row] = await store.db.select().from(webhookEvents).where(eq(webhookEvents.eventId, eventId));
  const event = row === undefined || row.processedAt !== null ? undefined : readPaddleEvent(row.payload);
  if (event === undefined) return;
  const { eventType } = event;
  const applied = await applyEvent(deps, event);
  logger.info({ eventId, eventType, ...applied }, 'webhook');
  if (applied.outcome === 'unmatched') {
    // Not marked: that is how somebody finds it.
    logger.warn({ eventId, eventType }, 'payment without a checkout of ours');
    return;
  }
  if (applied.outcome === 'applied') {
    for (const tenantId of applied.provisioning) await workflows.startProvisioning(tenantId);
    for (const tenantId of applied.tenantIds) await workflows.settleSubscription(tenantId);
  }
  await store.db
    .update(webhookEvents)
    .set({ processedAt: new Date() })
    .where(and(eq(webhookEvents.eventId, eventId), isNull(webhookEvents.processedAt)));
}

/** Does what follows from the webhooks that were stored and not finished, oldest first. One that fails is tried again later. */
export async function processPendingWebhooks(deps: ProcessDeps, { now }: { readonly now: number }): Promise<void> {
  const { store, logger } = deps;
  const rows = await store.db
    .select({ eventId: webhookEvents.eventId })
    .from(webhookEvents)
    .where(and(isNull(webhookEvents.processedAt), gt(webhookEvents.receivedAt, new Date(now - pendingMs))))
    .orderBy(asc(webhookEvents.receivedAt));
  for (const { eventId } of rows) {
    await processWebhook(deps, eventId).catch((error: unknown) => {
      logger.error({ eventId, err: loggableError(error) }, 'webhook could not be processed');
    });
  }
}
