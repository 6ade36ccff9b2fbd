import type { Plan } from '@sp/cloud-api/contract';
import * as z from 'zod/mini';
import type { PaddleEvent } from './paddle-event.ts';
import { planOfPrice } from './paddle-plans.ts';

const customData = z.unknown();

/** What a subscription is for. The event says all of it: the price can be withdrawn by the time that it is read. */
const subscribedSchema = z.object({
  items: z.array(
    z.object({
      price: z.object({
        id: z.string(),
        name: z.nullish(z.string()),
        description: z.nullish(z.string()),
        custom_data: customData,
      }),
      product: z.nullish(z.object({ name: z.string(), custom_data: customData })),
    }),
  ),
});

/**
 * The plan that a subscription is for after its events, in whatever order they are given: the newest by `occurred_at`
 * counts. `undefined`: they name none.
 */
export function subscribedPlan(
  events: Iterable<Pick<PaddleEvent, 'eventId' | 'eventType' | 'occurredAt' | 'data'>>,
): Plan | undefined {
  let newest: { readonly plan: Plan; readonly at: number; readonly eventId: string } | undefined;
  for (const { eventId, eventType, occurredAt, data } of events) {
    // Transactions have what is paid for: after a change also the rest of the plan of before.
    const plan = eventType.startsWith('subscription.') ? planOf(data) : undefined;
    if (plan === undefined) continue;
    const at = occurredAt.getTime();
    if (newest === undefined || at > newest.at || (at === newest.at && eventId > newest.eventId)) {
      newest = { plan, at, eventId };
    }
  }
  return newest?.plan;
}

function planOf(data: unknown): Plan | undefined {
  const items = subscribedSchema.safeParse(data).data?.items ?? [];
  const plans = items.flatMap(({ price: { id, name, description, custom_data }, product }) => {
    const shared = product ? { name: product.name, customData: product.custom_data } : null;
    const price = { id, name: name ?? null, description: description ?? id, customData: custom_data, product: shared };
    return planOfPrice(price) ?? [];
  });
  return plans[0];
}
