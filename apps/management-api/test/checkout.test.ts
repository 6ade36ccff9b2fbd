import { randomUUID } from 'node:crypto';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { processPendingWebhooks } from '../src/billing/process-webhook.ts';
import { signWebhook } from '../src/billing/webhook-signature.ts';
import { appendEvent } from '../src/tenants/events.ts';
import {
  type Edge,
  failure,
  location,
  loopback,
  readEvents,
  type StreamedEvent,
  startEdge,
  webhookSecret,
} from './edge.ts';

let edge: Edge;
let token: string;
let userId: string;
beforeAll(async () => {
  edge = await startEdge({ heartbeatMs: 50 });
  ({ token, userId } = await edge.login('buyer@example.com'));
});
afterAll(() => edge.stop());

async function open(json: Record<string, unknown> = {}) {
  const body = { price_id: 'pri_sandbox_starter', region: 'iad', redirect_uri: loopback, ...json };
  const response = await edge.call('/api/v1/checkout', { method: 'POST', token, json: body });
  expect(response.status).toBe(200);
  return (await response.json()) as { checkout_url: string; transaction_id: string; checkout_session_id: string };
}

function press(url: string, action: 'pay' | 'cancel'): Promise<Response> {
  return edge.call(url, { method: 'POST', form: { action } });
}

async function tenantOf(sessionId: string): Promise<Record<string, unknown> | undefined> {
  const { rows } = await edge.store.pool.query('select * from tenants where checkout_session_id = $1', [sessionId]);
  return rows[0] as Record<string, unknown> | undefined;
}

function webhook(event: object, header?: string): Promise<Response> {
  const body = JSON.stringify(event);
  return edge.call('/api/v1/webhooks/paddle', {
    method: 'POST',
    json: event,
    headers: { 'paddle-signature': header ?? signWebhook(Buffer.from(body), { secret: webhookSecret }) },
  });
}

function created(session: { transaction_id: string; checkout_session_id: string }, data: object = {}): object {
  return {
    event_id: `evt_${randomUUID()}`,
    event_type: 'subscription.created',
    occurred_at: '2026-01-01T00:00:00Z',
    data: {
      id: session.transaction_id.replace('txn_', 'sub_'),
      status: 'active',
      transaction_id: session.transaction_id,
      custom_data: { checkout_session_id: session.checkout_session_id, user_id: userId },
      items: [{ price: { id: 'pri_sandbox_starter' } }],
      ...data,
    },
  };
}

test('the plans of the sandbox are for sale', async () => {
  const response = await edge.call('/api/v1/checkout/plans', { token });
  expect(await response.json()).toMatchObject([
    { id: 'starter', paddle_price_id: 'pri_sandbox_starter', memory_mb_default: 512, volume_gb: 1 },
    { id: 'pro', paddle_price_id: 'pri_sandbox_pro', memory_mb_default: 1024, volume_gb: 10 },
  ]);
});

test('paying makes the tenant, starts provisioning, and returns to the program', async () => {
  const session = await open({ tenant_name: 'paid', price_id: 'pri_sandbox_pro' });
  expect(await (await edge.call(session.checkout_url)).text()).toContain('<dd>Pro</dd>');
  expect(await tenantOf(session.checkout_session_id)).toBeUndefined();

  const paid = await press(session.checkout_url, 'pay');
  expect(location(paid)).toBe(
    `${loopback}?status=pending&transaction_id=${session.transaction_id}&checkout_session_id=${session.checkout_session_id}`,
  );
  const tenant = await tenantOf(session.checkout_session_id);
  expect(tenant).toMatchObject({
    name: 'paid',
    owner_id: userId,
    state: 'provisioning',
    plan_id: 'pro',
    memory_mb: 1024,
  });
  expect(edge.provisioned).toContain(tenant?.['id']);

  const me = (await (await edge.call('/api/v1/auth/me', { token })).json()) as { tenants: object[] };
  expect(me.tenants).toContainEqual(
    expect.objectContaining({
      id: tenant?.['id'],
      status: 'pending',
      subscription_status: 'active',
      plan: { id: 'pro', name: 'Pro', memory_mb: 1024, volume_gb: 10 },
      database_url: expect.stringContaining(':***@'),
    }),
  );
});

test('paying twice, also at the same moment, is one webhook and the same answer', async () => {
  const session = await open();
  const before = edge.delivered.length;
  const answers = await Promise.all([press(session.checkout_url, 'pay'), press(session.checkout_url, 'pay')]);
  answers.push(await press(session.checkout_url, 'pay'));
  expect(new Set(answers.map(location)).size).toBe(1);
  expect(edge.delivered.length - before).toBe(1);
  expect(await (await edge.call(session.checkout_url)).text()).toContain('Payment received');
  expect(location(await press(session.checkout_url, 'cancel'))).toBe(location(answers[0]));
});

test('cancelling pays nothing and says so to the program', async () => {
  const session = await open();
  const before = edge.delivered.length;
  const url = new URL(location(await press(session.checkout_url, 'cancel')));
  expect(url.searchParams.get('error')).toBe('canceled');
  await press(session.checkout_url, 'pay');
  expect(edge.delivered.length).toBe(before);
  expect(await tenantOf(session.checkout_session_id)).toBeUndefined();
});

test('without a program to return to the payment ends with a page', async () => {
  const session = await open({ redirect_uri: undefined });
  const paid = await press(session.checkout_url, 'pay');
  expect(paid.status).toBe(200);
  expect(await paid.text()).toContain('Payment received');
});

test('a webhook whose work fails is answered all the same, and done later', async () => {
  const session = await open();
  const { startProvisioning } = edge.ports.workflows;
  edge.ports.workflows.startProvisioning = async () => {
    throw new Error('down');
  };
  const before = edge.delivered.length;
  expect((await press(session.checkout_url, 'pay')).status).toBe(302);
  expect(edge.delivered.length - before).toBe(1);
  edge.ports.workflows.startProvisioning = startProvisioning;
  const tenant = await tenantOf(session.checkout_session_id);
  expect(edge.provisioned).not.toContain(tenant?.['id']);
  const deps = { ...edge.ports, hostname: (name: string) => name, logger: pino({ level: 'silent' }) };
  await processPendingWebhooks(deps, { now: Date.now() });
  await processPendingWebhooks(deps, { now: Date.now() });
  expect(edge.provisioned.filter((id) => id === tenant?.['id'])).toHaveLength(1);
});

test.each([
  ['a price that is not for sale', { price_id: 'pri_other' }, 400, 'unknown_price'],
  ['a return address elsewhere', { redirect_uri: 'https://evil.example/' }, 400, 'invalid_redirect_uri'],
  ['a region that there is not', { region: 'moon' }, 400, 'invalid_request'],
  ['a name that is none', { tenant_name: 'Not A Name' }, 400, 'invalid_request'],
  ['an unknown member', { coupon: 'FREE' }, 400, 'invalid_request'],
  ['a name that is in use', { tenant_name: 'paid' }, 409, 'tenant_name_taken'],
])('a checkout with %s is refused', async (_, json, status, code) => {
  const body = { price_id: 'pri_sandbox_starter', region: 'iad', ...json };
  const response = await edge.call('/api/v1/checkout', { method: 'POST', token, json: body });
  expect(await failure(response)).toMatchObject({ status, code });
});

test('a name that was taken between checkout and payment does not stop the tenant', async () => {
  const [first, second] = [await open({ tenant_name: 'twice' }), await open({ tenant_name: 'twice' })];
  await press(first.checkout_url, 'pay');
  await press(second.checkout_url, 'pay');
  expect(await tenantOf(first.checkout_session_id)).toMatchObject({ name: 'twice' });
  expect((await tenantOf(second.checkout_session_id))?.['name']).toMatch(/^twice-/);
});

test('a forged webhook changes nothing', async () => {
  const session = await open();
  const event = created(session);
  const body = Buffer.from(JSON.stringify(event));
  const forged = [
    'ts=1;h1=00',
    signWebhook(body, { secret: 'guessed' }),
    signWebhook(body, { secret: webhookSecret, now: () => Date.now() - 600_000 }),
    signWebhook(Buffer.from('{}'), { secret: webhookSecret }),
  ];
  for (const header of forged) {
    expect(await failure(await webhook(event, header))).toMatchObject({ status: 401, code: 'invalid_signature' });
  }
  expect(await tenantOf(session.checkout_session_id)).toBeUndefined();
});

test('the same webhook again, and another about the same payment, change nothing more', async () => {
  const session = await open();
  const event = created(session);
  const answers = await Promise.all([webhook(event), webhook(event), webhook(created(session))]);
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
  expect((await webhook(event)).status).toBe(200);
  const { rows } = await edge.store.pool.query(
    'select event_type from tenant_events e join tenants t on t.id = e.tenant_id where t.checkout_session_id = $1 order by sequence',
    [session.checkout_session_id],
  );
  expect(rows).toEqual([{ event_type: 'subscription_created' }, { event_type: 'tenant_created' }]);
});

test('a payment is found by its transaction when the marker is lost, and never given to somebody else', async () => {
  const lost = await open();
  await webhook(created(lost, { custom_data: null }));
  expect(await tenantOf(lost.checkout_session_id)).toMatchObject({ owner_id: userId });

  const foreign = await open();
  const marker = { checkout_session_id: foreign.checkout_session_id, user_id: randomUUID() };
  expect((await webhook(created(foreign, { custom_data: marker }))).status).toBe(200);
  expect(await tenantOf(foreign.checkout_session_id)).toBeUndefined();
});

test.each([
  ['a date that no database has', { occurred_at: '+275760-09-13T00:00:00.000Z' }],
  ['a date before all dates', { occurred_at: '-000001-01-01T00:00:00.000Z' }],
  ['an id of 300 kB', { event_type: 'subscription.updated', data: { id: 's'.repeat(300_000) } }],
  ['one of a subscription', { event_type: 'transaction.updated', data: { subscription_id: 's'.repeat(300_000) } }],
])('a signed webhook with %s is 400', async (_what, changes) => {
  const event = { event_id: `evt_${randomUUID()}`, event_type: 'x.y', occurred_at: new Date().toISOString(), data: {} };
  expect(await failure(await webhook({ ...event, ...changes }))).toMatchObject({
    status: 400,
    code: 'invalid_request',
  });
});

test('no more tenants of a plan are sold than it allows', async () => {
  const { billing } = edge.ports;
  const { listPlans } = billing;
  const some = await edge.login('many@example.com');
  const order = (priceId: string): Promise<Response> =>
    edge.call('/api/v1/checkout', {
      method: 'POST',
      token: some.token,
      json: { price_id: priceId, region: 'iad', redirect_uri: loopback },
    });
  Object.assign(billing, { listPlans: async () => (await listPlans()).map((plan) => ({ ...plan, maxTenants: 2 })) });
  try {
    const first = await edge.buy(some.token);
    expect((await order('pri_sandbox_starter')).status).toBe(200);
    await edge.buy(some.token);
    expect(await failure(await order('pri_sandbox_starter'))).toMatchObject({ status: 409, code: 'too_many_tenants' });
    // Another plan has a number of its own, and what is deleted is no more.
    expect((await order('pri_sandbox_pro')).status).toBe(200);
    await edge.store.pool.query(`update tenants set state = 'deleted' where id = $1`, [first.tenantId]);
    expect((await order('pri_sandbox_starter')).status).toBe(200);
  } finally {
    Object.assign(billing, { listPlans });
  }
});

test('webhooks of other types are kept and answered', async () => {
  const event = {
    event_id: 'evt_other',
    event_type: 'customer.updated',
    occurred_at: '2026-01-01T00:00:00Z',
    data: {},
  };
  expect((await webhook(event)).status).toBe(200);
  const { rows } = await edge.store.pool.query("select payload from webhook_events where event_id = 'evt_other'");
  expect(rows).toEqual([{ payload: event }]);
});

async function take(response: Response, count: number): Promise<StreamedEvent[]> {
  const taken: StreamedEvent[] = [];
  for await (const event of readEvents(response)) {
    if (event.event === 'provisioning') taken.push(event);
    if (taken.length === count) break;
  }
  return taken;
}

test('the checkout stream waits for the payment and ends when the infrastructure is ready', async () => {
  const session = await open();
  const stream = await edge.call(`/api/v1/checkout/${session.checkout_session_id}/events`, { token });
  expect(stream.headers.get('content-type')).toContain('text/event-stream');
  const received: StreamedEvent[] = [];
  for await (const event of readEvents(stream)) {
    // The first sign of life comes before there is anything to tell.
    if (received.length === 0) await press(session.checkout_url, 'pay');
    received.push(event);
    if (event.data['event_type'] !== 'tenant_created') continue;
    const tenantId = event.data['tenant_id'] as string;
    await edge.store.db.transaction((tx) =>
      appendEvent(tx, { tenantId, eventType: 'infrastructure_ready', state: 'awaiting_deploy' }),
    );
  }
  const steps = received.filter(({ event }) => event === 'provisioning');
  expect(steps.map(({ id, data }) => [id, data['event_type']])).toEqual([
    ['1', 'subscription_created'],
    ['2', 'tenant_created'],
    ['3', 'infrastructure_ready'],
  ]);
  expect(steps[2]?.data).toMatchObject({
    checkout_session_id: session.checkout_session_id,
    tenant_name: expect.stringMatching(/^tenant-[a-z2-7]{4}$/),
    status: 'awaiting_deploy',
  });
  expect(received.some(({ event }) => event === 'heartbeat')).toBe(true);

  const again = await edge.call(`/api/v1/checkout/${session.checkout_session_id}/events`, {
    token,
    headers: { 'last-event-id': '3' },
  });
  expect(again.status).toBe(204);
});

test('a tenant stream replays after Last-Event-ID, goes on live, and stays open until the tenant runs', async () => {
  const { tenantId } = await edge.buy(token);
  const append = (eventType: string, state?: 'awaiting_deploy' | 'running') =>
    edge.store.db.transaction((tx) => appendEvent(tx, { tenantId, eventType, state }));
  await append('infrastructure_ready', 'awaiting_deploy');
  const path = `/api/v1/tenants/${tenantId}/events`;

  const all = await take(await edge.call(path, { token }), 3);
  expect(all.map(({ id }) => id)).toEqual(['1', '2', '3']);

  const resumed = await edge.call(path, { token, headers: { 'last-event-id': '2' } });
  const steps: StreamedEvent[] = [];
  for await (const event of readEvents(resumed)) {
    if (event.event !== 'provisioning') continue;
    steps.push(event);
    if (event.id === '3') await append('tenant_ready', 'running');
  }
  expect(steps.map(({ id, data }) => [id, data['event_type']])).toEqual([
    ['3', 'infrastructure_ready'],
    ['4', 'tenant_ready'],
  ]);

  // A second deploy: what ended the stream of the first one is history now.
  await append('tenant_ready', 'running');
  expect((await take(await edge.call(path, { token }), 5)).map(({ id }) => id)).toEqual(['1', '2', '3', '4', '5']);
  expect((await edge.call(path, { token, headers: { 'last-event-id': '5' } })).status).toBe(204);
});

test('a client that goes away stops what follows the events for it', async () => {
  const { tenantId } = await edge.buy(token);
  const leave = edge.ports.feed.leave.bind(edge.ports.feed);
  let left: string | undefined;
  edge.ports.feed.leave = (id, follower) => {
    left = id;
    leave(id, follower);
  };
  const stream = await edge.call(`/api/v1/tenants/${tenantId}/events`, { token });
  await take(stream, 1);
  await expect.poll(() => left).toBe(tenantId);
});
