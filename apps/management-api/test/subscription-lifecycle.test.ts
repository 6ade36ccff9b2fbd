import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { openOperation } from '../src/tenants/operations.ts';
import {
  createdEvent,
  type Subscribed,
  type SubscribedCloud,
  startSubscribedCloud,
  subscriptionEvent,
} from './subscribed-cloud.ts';

const day = 24 * 60 * 60_000;
let cloud: SubscribedCloud;
beforeAll(async () => {
  cloud = await startSubscribedCloud();
});
afterEach(() => {
  cloud.startFailure = undefined;
  cloud.stopFailure = undefined;
  cloud.healthStatus = 200;
});
afterAll(() => cloud.stop());

const tell = async ({ subscriptionId }: Subscribed, eventType: string, data: object = {}, occurredAt = new Date()) => {
  const response = await cloud.tell(subscriptionEvent(eventType, { subscriptionId, data, occurredAt }));
  expect(response.status).toBe(200);
};

test('a pause stops the machine, and its end starts it again with the same release', async () => {
  const subscribed = await cloud.subscribe();
  const { tenantId, releaseId } = subscribed;
  await tell(subscribed, 'subscription.paused');
  expect(await cloud.reach(tenantId, 'suspended')).toMatchObject({
    subscriptionStatus: 'paused',
    failure: 'The subscription is paused.',
    currentReleaseId: releaseId,
  });
  expect(cloud.running.has(releaseId)).toBe(false);

  await tell(subscribed, 'subscription.resumed');
  expect(await cloud.reach(tenantId, 'running')).toMatchObject({ subscriptionStatus: 'active', failure: null });
  expect(cloud.running.has(releaseId)).toBe(true);
  const told = (await cloud.eventsOf(tenantId)).slice(-3);
  expect(told.map(({ eventType, status, message }) => [eventType, status, message])).toEqual([
    ['vm_provisioning_progress', 'suspended', 'Suspended: The subscription is paused.'],
    ['vm_provisioning_progress', 'suspended', 'The tenant is paid for again and starts.'],
    ['tenant_ready', 'running', null],
  ]);
  const { rows } = await cloud.store.pool.query(
    'select actor_kind, action from audit_entries where chain = $1 order by sequence',
    [tenantId],
  );
  expect(rows).toEqual([
    { actor_kind: 'billing', action: 'subscription.suspend' },
    { actor_kind: 'billing', action: 'subscription.resume' },
  ]);
});

test('a debt leaves time to pay; then the tenant is suspended, and what is paid late starts it again', async () => {
  const subscribed = await cloud.subscribe();
  const { tenantId } = subscribed;
  await tell(subscribed, 'subscription.past_due');
  await cloud.maintain();
  const { suspendAt } = await cloud.reach(tenantId, 'running');
  expect((await cloud.eventsOf(tenantId)).at(-1)?.message).toContain(suspendAt?.toISOString().slice(0, 10));
  // A week without a word from anybody.
  await cloud.store.pool.query("update tenants set suspend_at = now() - interval '1 second' where id = $1", [tenantId]);
  await cloud.maintain();
  expect(await cloud.reach(tenantId, 'suspended')).toMatchObject({ failure: 'A payment is overdue.' });
  await tell(subscribed, 'transaction.completed', { origin: 'subscription_recurring' });
  expect(await cloud.reach(tenantId, 'running')).toMatchObject({ subscriptionStatus: 'active', suspendAt: null });
});

test('a debt that is paid in time is never felt', async () => {
  const subscribed = await cloud.subscribe();
  const { tenantId } = subscribed;
  await tell(subscribed, 'subscription.past_due');
  await tell(subscribed, 'subscription.updated', { status: 'active' });
  await cloud.maintain({ now: Date.now() + 30 * day });
  expect(await cloud.reach(tenantId, 'running')).toMatchObject({ subscriptionStatus: 'active', suspendAt: null });
});

test('after its end a subscription leaves what was paid for, then the data for a while, then nothing', async () => {
  const subscribed = await cloud.subscribe();
  const { tenantId } = subscribed;
  const endsAt = new Date(Date.now() + 10 * day);
  await tell(subscribed, 'subscription.canceled', { current_billing_period: { ends_at: endsAt.toISOString() } });
  await cloud.maintain();
  expect(await cloud.reach(tenantId, 'running')).toMatchObject({ subscriptionStatus: 'canceled', suspendAt: endsAt });
  const shift = (column: string) =>
    cloud.store.pool.query(`update tenants set ${column} = now() - interval '1 second' where id = $1`, [tenantId]);
  await shift('suspend_at');
  await cloud.maintain();
  expect(await cloud.reach(tenantId, 'suspended')).toMatchObject({ failure: 'The subscription has ended.' });
  await cloud.maintain();
  await cloud.reach(tenantId, 'suspended');
  await shift('delete_at');
  await cloud.maintain();
  await cloud.reach(tenantId, 'deleted');
  expect((await cloud.eventsOf(tenantId)).at(-1)?.eventType).toBe('tenant_deleted');
  // Nobody pays for it any more: there is nothing to cancel.
  expect(cloud.canceled).not.toContain(subscribed.subscriptionId);
  // Told again, long after.
  await tell(subscribed, 'subscription.canceled');
  await cloud.maintain();
  expect((await cloud.tenant(tenantId)).state).toBe('deleted');
});

test('another plan is what the machine has from its next start on, told once and in whatever order', async () => {
  const subscribed = await cloud.subscribe();
  const { tenantId, releaseId } = subscribed;
  const plan = (name: string, memoryMb: number) => ({
    status: 'active',
    items: [
      {
        price: { id: `pri_${name}`, name, description: '', custom_data: { memory_mb: String(memoryMb) } },
        product: { name: 'Cloud', custom_data: { plan: name, volume_gb: 10, memory_mb: 1 } },
      },
    ],
  });
  const now = Date.now();
  await tell(subscribed, 'subscription.updated', plan('large', 2048), new Date(now + 2000));
  await tell(subscribed, 'subscription.updated', plan('middle', 1024), new Date(now + 1000));
  await tell(subscribed, 'subscription.updated', { status: 'active' }, new Date(now + 3000));
  // Somebody else's product beside it, and what a transaction is about, are no plan.
  await tell(subscribed, 'transaction.completed', plan('small', 256), new Date(now + 4000));
  await tell(subscribed, 'subscription.updated', { status: 'active', items: [{ price: { id: 'pri_seat' } }] });
  expect(await cloud.reach(tenantId, 'running')).toMatchObject({ planId: 'large', memoryMb: 2048, volumeGb: 10 });
  const told = (await cloud.eventsOf(tenantId)).filter(({ message }) => message?.startsWith('The plan is'));
  expect(told.map(({ message }) => message)).toEqual([
    'The plan is large now: the machine has 2048 MB of memory and a volume of 10 GB from its next start on.',
  ]);
  const audited = await cloud.store.pool.query('select actor_kind, action from audit_entries where chain = $1', [
    tenantId,
  ]);
  expect(audited.rows).toEqual([{ actor_kind: 'billing', action: 'subscription.change_plan' }]);
  expect(cloud.memory.get(releaseId)).toBe(512);
  const { id } = await openOperation(cloud.store, { tenantId, kind: 'restart' });
  await cloud.edge.ports.workflows.startOperation(id);
  await cloud.reach(tenantId, 'running');
  expect(cloud.memory.get(releaseId)).toBe(2048);
});

test('the newest word counts, whichever comes first', async () => {
  const subscribed = await cloud.subscribe();
  const { tenantId } = subscribed;
  const now = Date.now();
  await tell(subscribed, 'subscription.resumed', {}, new Date(now + 1000));
  await tell(subscribed, 'subscription.paused', {}, new Date(now));
  await cloud.maintain();
  expect(await cloud.reach(tenantId, 'running')).toMatchObject({ subscriptionStatus: 'active' });
});

test('what is told of a subscription before its beginning holds from the beginning', async () => {
  const checkout = await cloud.open();
  const { subscriptionId } = checkout;
  const now = Date.now() - 10_000;
  const early = subscriptionEvent('subscription.paused', { subscriptionId, occurredAt: new Date(now + 1000) });
  expect((await cloud.tell(early)).status).toBe(200);
  await cloud.tell(createdEvent(checkout, new Date(now)));
  const { rows } = await cloud.store.pool.query('select id from tenants where subscription_id = $1', [subscriptionId]);
  const { id } = rows[0] as { id: string };
  expect(await cloud.reach(id, 'suspended')).toMatchObject({ subscriptionStatus: 'paused' });
  // It never had a release: it waits for its first.
  await tell({ tenantId: id, subscriptionId }, 'subscription.resumed', {}, new Date(now + 2000));
  await cloud.reach(id, 'awaiting_deploy');
  expect((await cloud.eventsOf(id)).at(-1)?.eventType).toBe('infrastructure_ready');
});

test('the first payment makes the tenant when it is told before the subscription', async () => {
  const checkout = await cloud.open();
  const { subscriptionId, checkoutSessionId, transactionId, userId } = checkout;
  const completed = {
    ...subscriptionEvent('transaction.completed', { subscriptionId }),
    data: {
      id: transactionId,
      subscription_id: subscriptionId,
      custom_data: { checkout_session_id: checkoutSessionId, user_id: userId },
    },
  };
  await Promise.all([cloud.tell(completed), cloud.tell(createdEvent(checkout))]);
  const { rows } = await cloud.store.pool.query('select state from tenants where subscription_id = $1', [
    subscriptionId,
  ]);
  expect(rows).toHaveLength(1);
});

test('a marker that somebody wrote themselves buys nothing', async () => {
  const checkout = await cloud.open();
  const event = createdEvent(checkout);
  const forgeries = [
    { transaction_id: 'txn_of_somebody_else' },
    { transaction_id: undefined, items: [{ price: { id: 'pri_cheap' } }] },
  ];
  for (const [index, data] of forgeries.entries()) {
    const forged = { ...event, event_id: `${event.event_id}_${index}`, data: { ...event.data, ...data } };
    expect((await cloud.tell(forged)).status).toBe(200);
  }
  const { rows } = await cloud.store.pool.query('select 1 from tenants where checkout_session_id = $1', [
    checkout.checkoutSessionId,
  ]);
  expect(rows).toEqual([]);
  // It can still be paid for.
  await cloud.tell(createdEvent(checkout));
  // And a second subscription does not get the first one's tenant.
  const other = createdEvent({ ...checkout, subscriptionId: 'sub_other' });
  await cloud.tell(other);
  await cloud.maintain();
  const pending = await cloud.store.pool.query('select processed_at from webhook_events where event_id = $1', [
    other.event_id,
  ]);
  expect(pending.rows).toEqual([{ processed_at: null }]);
});

test('a tenant whose machine does not start stays suspended and is tried again, and not at once', async () => {
  const subscribed = await cloud.subscribe();
  const { tenantId } = subscribed;
  await tell(subscribed, 'subscription.paused');
  await cloud.reach(tenantId, 'suspended');
  cloud.startFailure = 'the provider is away';
  await tell(subscribed, 'subscription.resumed');
  const failures = async () =>
    (
      await cloud.store.pool.query(
        "select failure from tenant_operations where tenant_id = $1 and kind = 'resume' and status = 'failed'",
        [tenantId],
      )
    ).rows.length;
  await expect.poll(failures).toBe(1);
  expect(await cloud.reach(tenantId, 'suspended')).toMatchObject({
    failure: expect.stringContaining('the provider is away') as string,
  });
  await cloud.maintain();
  expect(await failures()).toBe(1);
  cloud.startFailure = undefined;
  await cloud.store.pool.query(
    "update tenant_operations set finished_at = now() - interval '2 minutes' where tenant_id = $1 and status = 'failed'",
    [tenantId],
  );
  await cloud.maintain();
  await cloud.reach(tenantId, 'running');
});

test('a machine that starts but is not healthy is the owner’s to mend', async () => {
  const subscribed = await cloud.subscribe();
  const { tenantId } = subscribed;
  await tell(subscribed, 'subscription.paused');
  await cloud.reach(tenantId, 'suspended');
  cloud.healthStatus = 500;
  await tell(subscribed, 'subscription.resumed');
  expect(await cloud.reach(tenantId, 'running')).toMatchObject({
    failure: expect.stringContaining('not healthy') as string,
  });
});

test('a suspension that could not stop the machine is begun again', async () => {
  const subscribed = await cloud.subscribe();
  const { tenantId, releaseId } = subscribed;
  cloud.stopFailure = 'the provider is away';
  await tell(subscribed, 'subscription.paused');
  await cloud.reach(tenantId, 'suspended');
  expect(cloud.running.has(releaseId)).toBe(true);
  cloud.stopFailure = undefined;
  await cloud.store.pool.query(
    "update tenant_operations set finished_at = now() - interval '2 minutes' where tenant_id = $1 and status = 'failed'",
    [tenantId],
  );
  await cloud.maintain();
  await expect.poll(() => cloud.running.has(releaseId)).toBe(false);
});

test('while something is done to the tenant its subscription waits, and has its turn after it', async () => {
  const subscribed = await cloud.subscribe();
  const { tenantId } = subscribed;
  const { id } = await openOperation(cloud.store, { tenantId, kind: 'restart' });
  await tell(subscribed, 'subscription.paused');
  expect((await cloud.tenant(tenantId)).state).toBe('running');
  await cloud.edge.ports.workflows.startOperation(id);
  await cloud.reach(tenantId, 'suspended');
  await expect(openOperation(cloud.store, { tenantId, kind: 'restart' })).rejects.toMatchObject({ state: 'suspended' });
});

test.each([
  ['stored and nothing more', ''],
  ['decided and not begun', 'in the books'],
])('a process that died when a webhook was %s: the next one does what follows', async (_, progress) => {
  const subscribed = await cloud.subscribe();
  const { tenantId, subscriptionId } = subscribed;
  const { settleSubscription } = cloud.edge.ports.workflows;
  const event = subscriptionEvent('subscription.paused', { subscriptionId });
  if (progress !== '') {
    cloud.edge.ports.workflows.settleSubscription = () => Promise.reject(new Error('killed'));
    await cloud.tell(event);
    cloud.edge.ports.workflows.settleSubscription = settleSubscription;
    expect((await cloud.tenant(tenantId)).state).toBe('running');
  } else {
    await cloud.store.pool.query(
      'insert into webhook_events (event_id, event_type, occurred_at, payload) values ($1, $2, $3, $4)',
      [event.event_id, event.event_type, event.occurred_at, event],
    );
  }
  await cloud.maintain();
  await cloud.reach(tenantId, 'suspended');
});

test('a process that died with a suspension opened: the next one suspends', async () => {
  const subscribed = await cloud.subscribe();
  const { tenantId, releaseId } = subscribed;
  await cloud.restart(async () => {
    await cloud.store.pool.query(
      "update tenants set state = 'suspended', subscription_status = 'paused' where id = $1",
      [tenantId],
    );
    await cloud.store.pool.query(
      "insert into tenant_operations (id, tenant_id, kind) values (gen_random_uuid(), $1, 'suspend')",
      [tenantId],
    );
  });
  await cloud.reach(tenantId, 'suspended');
  expect(cloud.running.has(releaseId)).toBe(false);
});
