import { afterAll, beforeAll, expect, test } from 'vitest';
import { baseUrl, type Edge, location, startEdge } from './edge.ts';

let edge: Edge;
let token: string;
beforeAll(async () => {
  edge = await startEdge();
  ({ token } = await edge.login('payer@example.com'));
});
afterAll(() => edge.stop());

async function buy() {
  const { tenantId } = await edge.buy(token);
  const { rows } = await edge.store.pool.query('select subscription_id from tenants where id = $1', [tenantId]);
  const { subscription_id: subscriptionId } = rows[0] as { subscription_id: string };
  const link = await edge.call(`/api/v1/tenants/${tenantId}/subscription/portal-link`, { method: 'POST', token });
  expect(link.headers.get('cache-control')).toBe('no-store');
  const { url } = ((await link.json()) as { data: { url: string } }).data;
  const press = (action: string) => edge.call(url, { method: 'POST', form: { action } });
  const status = async (): Promise<unknown> => {
    const found = await edge.store.pool.query('select subscription_status from tenants where id = $1', [tenantId]);
    return (found.rows[0] as { subscription_status: string }).subscription_status;
  };
  return { subscriptionId, url, press, status };
}

const buttons = (page: string): string[] =>
  [...page.matchAll(/name="action" value="(\w+)"/g)].map(([, value]) => value ?? '');

test('the page lets happen what can happen, and the tenant follows', async () => {
  const { url, press, status } = await buy();
  expect(url.startsWith(`${baseUrl}/sandbox/portal/sub_`)).toBe(true);
  const steps = [
    ['past_due', 'past_due', ['paid', 'paused', 'canceled']],
    ['paid', 'active', ['updated', 'past_due', 'paused', 'canceled']],
    ['paused', 'paused', ['resumed', 'canceled']],
    ['resumed', 'active', ['updated', 'past_due', 'paused', 'canceled']],
    // The same again is another debt, and not the first one told twice.
    ['past_due', 'past_due', ['paid', 'paused', 'canceled']],
    ['canceled', 'canceled', []],
  ] as const;
  for (const [action, expected, next] of steps) {
    const pressed = await press(action);
    expect(pressed.status).toBe(303);
    const page = await (await edge.call(location(pressed))).text();
    expect(buttons(page)).toEqual(next);
    expect(await status()).toBe(expected);
  }
  const before = edge.delivered.length;
  await press('resumed');
  expect(edge.delivered.length).toBe(before);
});

test('another plan changes what the tenant may have, and back', async () => {
  const { subscriptionId, press, url } = await buy();
  const limits = async (): Promise<unknown> => {
    const query = 'select plan_id, memory_mb from tenants where subscription_id = $1';
    return (await edge.store.pool.query(query, [subscriptionId])).rows[0];
  };
  expect(await limits()).toEqual({ plan_id: 'starter', memory_mb: 512 });
  await press('updated');
  expect(await limits()).toEqual({ plan_id: 'pro', memory_mb: 1024 });
  expect(await (await edge.call(url)).text()).toContain('<dd>Pro</dd>');
  await press('past_due');
  expect(await limits()).toEqual({ plan_id: 'pro', memory_mb: 1024 });
  await press('paid');
  await press('updated');
  expect(await limits()).toEqual({ plan_id: 'starter', memory_mb: 512 });
});

test('what cannot happen, and what is not there, changes nothing', async () => {
  const { press, status, url } = await buy();
  for (const action of ['paid', 'resumed', 'created', '']) await press(action);
  expect(await status()).toBe('active');
  const unknown = url.replace(/sub_.*/, 'sub_nobody');
  expect((await edge.call(unknown)).status).toBe(404);
  expect((await edge.call(unknown, { method: 'POST', form: { action: 'canceled' } })).status).toBe(404);
});

test('a change that could not be told is not made', async () => {
  const { press, status } = await buy();
  await edge.store.pool.query('alter table webhook_events rename to webhook_events_away');
  try {
    const pressed = await press('paused');
    expect(pressed.status).toBe(502);
    expect(await pressed.text()).toContain('Nothing has changed');
  } finally {
    await edge.store.pool.query('alter table webhook_events_away rename to webhook_events');
  }
  expect(await status()).toBe('active');
  await press('paused');
  expect(await status()).toBe('paused');
});

test('a cancellation through the API ends the subscription here at once, and again is no error', async () => {
  const { subscriptionId, status } = await buy();
  const { rows } = await edge.store.pool.query('select id from tenants where subscription_id = $1', [subscriptionId]);
  const path = `/api/v1/tenants/${(rows[0] as { id: string }).id}/subscription/cancel`;
  expect((await edge.call(path, { method: 'POST', token })).status).toBe(200);
  expect(await status()).toBe('canceled');
  expect((await edge.call(path, { method: 'POST', token })).status).toBe(200);
});
