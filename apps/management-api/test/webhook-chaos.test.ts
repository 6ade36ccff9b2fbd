import * as fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { signWebhook } from '../src/billing/webhook-signature.ts';
import { webhookSecret } from './edge.ts';
import {
  createdEvent,
  type ProviderEvent,
  type SubscribedCloud,
  startSubscribedCloud,
  subscriptionEvent,
} from './subscribed-cloud.ts';

let cloud: SubscribedCloud;
beforeAll(async () => {
  cloud = await startSubscribedCloud();
});
afterAll(() => cloud.stop());

const changes = ['past_due', 'paid', 'paused', 'resumed', 'activated', 'canceled'] as const;
type Change = (typeof changes)[number];

/** What happens to one delivery on its way. `late` and `truncated` are the provider's own attempts, and it tries again. */
const fates = ['good', 'good', 'good', 'late', 'truncated', 'forged', 'replaced'] as const;

const histories = fc.record({
  changes: fc.array(fc.constantFrom(...changes), { maxLength: 6 }),
  fates: fc.array(fc.constantFrom(...fates), { minLength: 30, maxLength: 30 }),
  order: fc.array(fc.nat(), { minLength: 40, maxLength: 40 }),
});

/** Where a tenant without a release ends: the last word counts, and nothing follows the end. */
function expectedEnd(history: readonly Change[]): { state: string; status: string } {
  let status = 'active';
  for (const change of history) {
    if (status === 'canceled') break;
    if (change === 'paid') status = status === 'past_due' ? 'active' : status;
    else status = change === 'resumed' || change === 'activated' ? 'active' : change;
  }
  // Whoever owes has a week.
  return { status, state: status === 'paused' || status === 'canceled' ? 'suspended' : 'awaiting_deploy' };
}

function eventOf(
  change: Change,
  options: { readonly subscriptionId: string; readonly occurredAt: Date },
): ProviderEvent {
  return subscriptionEvent(change === 'paid' ? 'transaction.completed' : `subscription.${change}`, options);
}

async function deliver(event: ProviderEvent, fate: (typeof fates)[number]): Promise<void> {
  const body = Buffer.from(JSON.stringify(event));
  const header = signWebhook(body, { secret: webhookSecret });
  const bad = async (answer: Promise<Response>): Promise<void> => {
    expect((await answer).status).toBe(401);
  };
  if (fate === 'late') {
    await bad(cloud.send(body, signWebhook(body, { secret: webhookSecret, now: () => Date.now() - 3_600_000 })));
  }
  if (fate === 'truncated') await bad(cloud.send(body.subarray(0, body.length >> 1), header));
  if (fate === 'forged') await bad(cloud.send(body, signWebhook(body, { secret: 'guessed' })));
  if (fate === 'replaced') {
    const other = { ...event, event_type: 'subscription.canceled', event_id: `${event.event_id}_other` };
    await bad(cloud.send(Buffer.from(JSON.stringify(other)), header));
  }
  // Whatever came of the attempts before, the provider goes on until it is heard.
  expect((await cloud.send(body, header)).status).toBe(200);
}

async function send(queue: (() => Promise<void>)[]): Promise<void> {
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) await next();
}

test('webhooks three times, shuffled, late, forged, truncated, by two senders: the right end, nothing twice', async () => {
  await fc.assert(
    fc.asyncProperty(histories, async (history) => {
      const checkout = await cloud.open();
      const { subscriptionId, checkoutSessionId } = checkout;
      const begin = Date.now() - 60_000;
      const events = [
        createdEvent(checkout, new Date(begin)),
        ...history.changes.map((change, index) =>
          eventOf(change, { subscriptionId, occurredAt: new Date(begin + (index + 1) * 1000) }),
        ),
      ];
      const deliveries = [...events, ...events, ...events]
        .map((event, index) => ({ event, fate: history.fates[index] ?? 'good', key: history.order[index] ?? index }))
        .sort((a, b) => a.key - b.key);
      const queue = deliveries.map(
        ({ event, fate }) =>
          () =>
            deliver(event, fate),
      );
      await Promise.all([send(queue), send(queue)]);
      await cloud.maintain();

      const { rows } = await cloud.store.pool.query('select id, app_name from tenants where checkout_session_id = $1', [
        checkoutSessionId,
      ]);
      expect(rows).toHaveLength(1);
      const { id, app_name: appName } = rows[0] as { id: string; app_name: string };
      const { state, status } = expectedEnd(history.changes);
      expect(await cloud.reach(id, state)).toMatchObject({ subscriptionStatus: status });

      const before = await cloud.eventsOf(id);
      expect(before.map(({ sequence }) => sequence)).toEqual(before.map((_, index) => index + 1));
      for (const type of ['subscription_created', 'tenant_created', 'database_created', 'vm_provisioned']) {
        expect(before.filter(({ eventType }) => eventType === type)).toHaveLength(1);
      }
      expect(cloud.apps.filter((name) => name === appName)).toHaveLength(1);

      // All of it once more, long after: nothing is left to do, and nothing is done.
      await send(events.map((event) => () => deliver(event, 'good')));
      await cloud.maintain();
      expect((await cloud.reach(id, state)).eventSequence).toBe(before.length);
      const pending = await cloud.store.pool.query(
        'select event_id from webhook_events where subscription_id = $1 and processed_at is null',
        [subscriptionId],
      );
      expect(pending.rows).toEqual([]);
    }),
    { numRuns: 15, endOnFailure: true },
  );
});

test('what is signed and makes no sense is kept or refused, and never an error of ours', async () => {
  const text = fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.constantFrom('\0', '\ud800', 'a\udc00b'));
  const json = fc.jsonValue({ maxDepth: 3 });
  const types = fc.constantFrom('subscription.created', 'subscription.paused', 'transaction.completed', 'x', '');
  const field = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });
  const event = fc.record({
    event_id: field(text),
    event_type: field(types),
    occurred_at: field(fc.oneof(fc.constant('2026-01-01T00:00:00Z'), text)),
    data: fc.oneof(
      json,
      fc.record({ id: field(text), status: field(text), custom_data: json, items: json, subscription_id: field(text) }),
    ),
  });
  await fc.assert(
    fc.asyncProperty(fc.oneof(event, json), async (payload) => {
      const response = await cloud.send(Buffer.from(JSON.stringify(payload)));
      expect([200, 400]).toContain(response.status);
    }),
    { numRuns: 200, endOnFailure: true },
  );
});
