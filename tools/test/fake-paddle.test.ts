import { expect, test } from 'vitest';
import { createFakePaddle, type FakePaddle } from '../src/fake-paddle/fake-paddle.ts';
import { signNotification } from '../src/fake-paddle/notifications.ts';

const apiKey = 'pdl_key';
const catalog = ['a', 'b', 'c'].map((name) => ({ priceId: `pri_${name}`, productName: name }));

function call(
  paddle: FakePaddle,
  path: string,
  request: { method?: string; body?: unknown; key?: string | null } = {},
) {
  const { method = 'GET', body, key = `Bearer ${apiKey}` } = request;
  const headers = {
    ...(key === null ? {} : { authorization: key }),
    ...(body === undefined ? {} : { 'content-type': 'application/json' }),
  };
  const init = { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
  return paddle.fetch(new Request(`https://api.paddle.com${path}`, init));
}

const body = (more: object = {}) => ({ items: [{ price_id: 'pri_a', quantity: 1 }], ...more });

test.each([
  ['no key', '/prices', { key: null }, 403, 'authentication_missing'],
  ['a key in a form of its own', '/prices', { key: 'pdl_key' }, 403, 'authentication_malformed'],
  ['another key', '/prices', { key: 'Bearer x' }, 403, 'invalid_token'],
  ['an unknown address', '/tenants', {}, 404, 'invalid_url'],
  ['an unknown parameter', '/prices?colour=red', {}, 400, 'bad_request'],
  ['too long a page', '/prices?per_page=201', {}, 400, 'bad_request'],
  ['an unknown member', '/transactions', { method: 'POST', body: body({ color: 1 }) }, 400, 'bad_request'],
  ['empty custom data', '/transactions', { method: 'POST', body: body({ custom_data: {} }) }, 400, 'bad_request'],
  ['no items', '/transactions', { method: 'POST', body: { items: [] } }, 400, 'bad_request'],
  [
    'another price',
    '/transactions',
    { method: 'POST', body: { items: [{ price_id: 'pri_x', quantity: 1 }] } },
    400,
    'transaction_price_not_found',
  ],
  [
    'a page elsewhere',
    '/transactions',
    { method: 'POST', body: body({ checkout: { url: 'https://evil.example/' } }) },
    400,
    'transaction_checkout_url_domain_is_not_approved',
  ],
  ['an unknown subscription', '/subscriptions/sub_1', {}, 404, 'not_found'],
])('%s is refused', async (_, path, request, status, code) => {
  const response = await call(createFakePaddle({ apiKey, catalog }), path, request);
  expect(response.status).toBe(status);
  expect(await response.json()).toMatchObject({ error: { code, type: 'request_error' } });
});

test('prices come in pages', async () => {
  const paddle = createFakePaddle({ apiKey, catalog });
  const ids: string[] = [];
  let path = '/prices?per_page=2&include=product';
  for (let more = true; more; ) {
    const page = (await (await call(paddle, path)).json()) as {
      data: { id: string; product: { name: string } }[];
      meta: { pagination: { next: string; has_more: boolean } };
    };
    ids.push(...page.data.map(({ id, product }) => `${id} ${product.name}`));
    const { next, has_more: hasMore } = page.meta.pagination;
    path = new URL(next).pathname + new URL(next).search;
    more = hasMore;
  }
  expect(ids).toEqual(['pri_a a', 'pri_b b', 'pri_c c']);
});

test('while something is scheduled, and after the end, a subscription takes nothing else', async () => {
  const paddle = createFakePaddle({ apiKey, catalog });
  const opened = await call(paddle, '/transactions', { method: 'POST', body: body() });
  const { data } = (await opened.json()) as { data: { id: string } };
  const id = paddle.pay(data.id);
  expect(paddle.pay(data.id)).toBe(id);
  const cancel = async (from: string) => {
    const path = `/subscriptions/${id}/cancel`;
    const response = await call(paddle, path, { method: 'POST', body: { effective_from: from } });
    const answer = (await response.json()) as { data?: { status: string }; error?: { code: string } };
    return answer.error?.code ?? answer.data?.status;
  };
  expect(await cancel('next_billing_period')).toBe('active');
  expect(await cancel('immediately')).toBe('subscription_locked_pending_changes');
  await call(paddle, `/subscriptions/${id}`, { method: 'PATCH', body: { scheduled_change: null } });
  expect(await cancel('immediately')).toBe('canceled');
  expect(await cancel('immediately')).toBe('subscription_update_when_canceled');
  expect(paddle.notifications.map(({ event_type: type }) => type)).toEqual([
    'transaction.paid',
    'subscription.created',
    'subscription.activated',
    'transaction.completed',
    'subscription.updated',
    'subscription.updated',
    'subscription.updated',
    'subscription.canceled',
  ]);
});

test('a notification is sent until it is taken, signed with every secret', async () => {
  let refusals = 2;
  const taken: string[] = [];
  const paddle = createFakePaddle({
    apiKey,
    catalog,
    destination: {
      url: 'http://127.0.0.1:1/webhooks',
      secrets: ['old', 'new'],
      retryMs: 1,
      fetch: async (_url, init) => {
        refusals -= 1;
        if (refusals >= 0) return new Response(null, { status: 500 });
        taken.push(new Headers(init.headers).get('paddle-signature') ?? '');
        return new Response();
      },
    },
  });
  const opened = await call(paddle, '/transactions', { method: 'POST', body: body() });
  paddle.pay(((await opened.json()) as { data: { id: string } }).data.id);
  expect(await paddle.settle()).toEqual([]);
  expect(taken).toHaveLength(4);
  expect(taken[0]).toMatch(/^ts=\d+;h1=[0-9a-f]{64};h1=[0-9a-f]{64}$/);
  expect(signNotification('{}', ['s'], 1000)).toMatch(/^ts=1;h1=/);
});
