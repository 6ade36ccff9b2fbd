import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { Payment, ProviderSubscription } from '../src/ports/billing.ts';
import { createdEvent, type SubscribedCloud, startSubscribedCloud, subscriptionEvent } from './subscribed-cloud.ts';

const minute = 60_000;
const day = 24 * 60 * minute;
let cloud: SubscribedCloud;
const payments = new Map<string, Payment>();
const subscriptions = new Map<string, ProviderSubscription>();
const asked: string[] = [];
const away = new Set<string>();
beforeAll(async () => {
  cloud = await startSubscribedCloud();
  Object.assign(cloud.edge.ports.billing, {
    findPayment: async (id: string) => {
      asked.push(id);
      if (away.delete(id)) throw new Error('the provider is away');
      return payments.get(id);
    },
    findSubscription: async (id: string) => subscriptions.get(id),
  });
});
afterEach(() => expect(cloud.errors).toEqual([]));
afterAll(() => cloud.stop());

const tenantOf = async (subscriptionId: string): Promise<string | undefined> => {
  const { rows } = await cloud.store.pool.query('select id from tenants where subscription_id = $1', [subscriptionId]);
  expect(rows.length).toBeLessThan(2);
  return (rows[0] as { id: string } | undefined)?.id;
};

test('a payment that nobody told of makes its tenant, once, also when it is told after all', async () => {
  const [failing, checkout, unpaid] = [await cloud.open(), await cloud.open(), await cloud.open()];
  const now = Date.now();
  for (const { transactionId, subscriptionId } of [failing, checkout]) {
    payments.set(transactionId, { subscriptionId, paidAt: new Date(now) });
  }
  away.add(failing.transactionId);
  // People need a moment to pay, and webhooks to come.
  await cloud.maintain({ now: now + minute });
  expect(asked).toEqual([]);
  await Promise.all([cloud.maintain({ now: now + 3 * minute }), cloud.maintain({ now: now + 3 * minute })]);
  const id = await tenantOf(checkout.subscriptionId);
  expect(await cloud.reach(id ?? '', 'awaiting_deploy')).toMatchObject({ subscriptionStatus: 'active' });
  expect(await tenantOf(failing.subscriptionId)).toBeUndefined();
  // Two replicas have asked once between them.
  expect(asked.filter((transactionId) => transactionId === unpaid.transactionId)).toHaveLength(1);

  await cloud.tell(createdEvent(checkout, new Date(now)));
  expect(await tenantOf(checkout.subscriptionId)).toBe(id);

  // The one that could not be asked for has its turn again; pauses grow with the checkout's age.
  const before = asked.length;
  await cloud.maintain({ now: now + 4 * minute });
  expect(asked.length).toBe(before);
  await cloud.maintain({ now: now + 6 * minute });
  expect(await tenantOf(failing.subscriptionId)).toBeDefined();
  await cloud.maintain({ now: now + 4 * day });
  expect(asked.filter((transactionId) => transactionId === unpaid.transactionId)).toHaveLength(2);
});

test('a change that nobody told of has its effect, and one that was told has it once', async () => {
  const { tenantId, subscriptionId } = await cloud.subscribe();
  const now = Date.now();
  subscriptions.set(subscriptionId, { status: 'active', changedAt: new Date(now), paidUntil: undefined });
  const checked = async () => {
    await cloud.maintain({ now: now + day + minute });
    return (await cloud.tenant(tenantId)).subscriptionCheckedAt;
  };
  await expect.poll(checked).not.toBeNull();
  const { eventSequence } = await cloud.reach(tenantId, 'running');
  subscriptions.set(subscriptionId, { status: 'paused', changedAt: new Date(now + 1), paidUntil: undefined });
  // Once a day.
  await cloud.maintain({ now: now + 1.5 * day });
  expect((await cloud.reach(tenantId, 'running')).eventSequence).toBe(eventSequence);
  // A tenant that somebody else holds just then has its turn in the next pass.
  const pass = async () => {
    await cloud.maintain({ now: now + 3 * day });
    return (await cloud.tenant(tenantId)).state;
  };
  await expect.poll(pass).toBe('suspended');
  const suspended = await cloud.reach(tenantId, 'suspended');
  expect(suspended.subscriptionStatus).toBe('paused');
  await cloud.tell(subscriptionEvent('subscription.paused', { subscriptionId, occurredAt: new Date(now + 1) }));
  await cloud.maintain({ now: now + 5 * day });
  expect((await cloud.reach(tenantId, 'suspended')).eventSequence).toBe(suspended.eventSequence);
});
