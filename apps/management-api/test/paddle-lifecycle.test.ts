import { pino } from 'pino';
import { expect, test } from 'vitest';
import { createPaddleBilling } from '../src/billing/paddle.ts';
import { baseUrl, failure, webhookSecret } from './edge.ts';
import { createFakePaddle } from './fake-paddle.ts';
import { serveHandler } from './serve.ts';
import { type SubscribedCloud, startSubscribedCloud } from './subscribed-cloud.ts';

let cloud: SubscribedCloud | undefined;

let losing = false;

test('a tenant goes with its subscription at Paddle from the first payment to the end', async () => {
  const apiKey = 'pdl_live_apikey_1';
  const paddle = await createFakePaddle({
    apiKey,
    catalog: [
      { priceId: 'pri_starter', productName: 'Starter', customData: { memory_mb: 512, volume_gb: 1 } },
      // Withdrawn, and given to those who had asked for it.
      {
        priceId: 'pri_pro',
        productName: 'Pro',
        status: 'archived',
        customData: { memory_mb: 2048 },
        productCustomData: { plan: 'pro', volume_gb: 10 },
      },
    ],
    destination: {
      url: `${baseUrl}/api/v1/webhooks/paddle`,
      secrets: [webhookSecret],
      retryMs: 1,
      fetch: async (url, init) => cloud?.edge.app.fetch(new Request(url, init)) ?? Response.error(),
      // The last first, and everything three times; or nothing at all.
      disturb: (sent) => (losing ? [] : [...sent.toReversed(), ...sent, ...sent]),
    },
  });
  await using server = await serveHandler((request) => paddle.fetch(request));
  cloud = await startSubscribedCloud();
  const { edge, store } = cloud;
  try {
    const billing = createPaddleBilling({
      apiKey,
      environment: `http://${server.host}`,
      clientToken: 'test_1',
      baseUrl,
      retryMs: 1,
      store,
      logger: pino({ level: 'silent' }),
    });
    Object.assign(edge.ports.billing, billing);
    const { token } = await edge.login('buyer@example.com');
    const opened = await edge.call('/api/v1/checkout', {
      method: 'POST',
      token,
      json: { price_id: 'pri_starter', region: 'iad', tenant_name: 'shop' },
    });
    paddle.failNext('error', 'error', 'error');
    const away = await edge.call('/api/v1/checkout', {
      method: 'POST',
      token,
      json: { price_id: 'pri_starter', region: 'iad' },
    });
    expect(away.headers.get('retry-after')).toBe('10');
    expect(await failure(away)).toMatchObject({ status: 503, code: 'billing_unavailable' });
    const checkout = (await opened.json()) as { transaction_id: string; checkout_session_id: string };
    const subscriptionId = paddle.pay(checkout.transaction_id);
    expect(await paddle.settle()).toEqual([]);
    const { rows } = await store.pool.query('select id from tenants where subscription_id = $1', [subscriptionId]);
    expect(rows).toHaveLength(1);
    const { id } = rows[0] as { id: string };
    const after = async (act: () => void, state: string) => {
      act();
      await paddle.settle();
      return await cloud?.reach(id, state);
    };
    expect(await after(() => {}, 'awaiting_deploy')).toMatchObject({ name: 'shop', subscriptionStatus: 'active' });
    expect(await after(() => paddle.failPayment(subscriptionId), 'awaiting_deploy')).toMatchObject({
      subscriptionStatus: 'past_due',
      suspendAt: expect.any(Date) as Date,
    });
    expect(await after(() => paddle.payDebt(subscriptionId), 'awaiting_deploy')).toMatchObject({
      subscriptionStatus: 'active',
      suspendAt: null,
    });
    await after(() => paddle.pause(subscriptionId), 'suspended');
    await after(() => paddle.resume(subscriptionId), 'awaiting_deploy');
    await after(() => paddle.endPeriod(subscriptionId), 'awaiting_deploy');
    expect(await after(() => paddle.changePlan(subscriptionId, 'pri_pro'), 'awaiting_deploy')).toMatchObject({
      planId: 'pro',
      memoryMb: 2048,
      volumeGb: 10,
    });
    expect(await after(() => paddle.endPeriod(subscriptionId), 'awaiting_deploy')).toMatchObject({ memoryMb: 2048 });
    // A change of plan of which every word is lost is found at the next look, once a day; found again it is nothing.
    losing = true;
    await after(() => paddle.changePlan(subscriptionId, 'pri_starter'), 'awaiting_deploy');
    expect(await cloud.tenant(id)).toMatchObject({ planId: 'pro' });
    const day = 24 * 60 * 60_000;
    const looked = async (now: number) => {
      await cloud?.maintain({ now });
      return (await cloud?.tenant(id))?.planId;
    };
    await expect.poll(() => looked(Date.now() + 2 * day)).toBe('pri_starter');
    // The volume holds data: it stays as large as it is.
    const found = await cloud.reach(id, 'awaiting_deploy');
    expect(found).toMatchObject({ memoryMb: 512, volumeGb: 10, subscriptionStatus: 'active' });
    await looked(Date.now() + 4 * day);
    expect((await cloud.tenant(id)).eventSequence).toBe(found.eventSequence);
    losing = false;

    const link = await edge.call(`/api/v1/tenants/${id}/subscription/portal-link`, { method: 'POST', token });
    expect(await link.json()).toEqual({ data: { url: expect.stringContaining('https://') as string } });

    const cancel = () => edge.call(`/api/v1/tenants/${id}/subscription/cancel`, { method: 'POST', token });
    expect((await cancel()).status).toBe(200);
    expect((await cancel()).status).toBe(200);
    // What has been paid for is left.
    expect(await after(() => {}, 'awaiting_deploy')).toMatchObject({ subscriptionStatus: 'active' });
    expect(await after(() => paddle.endPeriod(subscriptionId), 'suspended')).toMatchObject({
      subscriptionStatus: 'canceled',
      deleteAt: expect.any(Date) as Date,
    });
    const types = (await cloud.eventsOf(id)).map(({ eventType }) => eventType);
    expect(types.filter((type) => type === 'tenant_created')).toHaveLength(1);
    expect(cloud.apps).toHaveLength(1);
  } finally {
    await cloud.stop();
  }
});
