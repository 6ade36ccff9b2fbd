import { inspect } from 'node:util';
import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createCheckoutSession } from '../src/billing/checkout-sessions.ts';
import { createPaddleBilling, type PaddleBilling, type PaddleBillingOptions } from '../src/billing/paddle.ts';
import { type BillingWorld, billingSuite } from './billing.suite.ts';
import { createFakePaddle, type FakePaddle } from './fake-paddle.ts';
import { type ServedHandler, serveHandler } from './serve.ts';
import { insertUser, startTestDatabase, type TestDatabase } from './test-database.ts';

const apiKey = 'pdl_live_apikey_canary_4711';
const baseUrl = 'http://127.0.0.1:7300';
const limits = { memory_mb: '512', volume_gb: 1 };
const catalog = [
  { priceId: 'pri_starter', productName: 'Starter', customData: limits },
  { priceId: 'pri_pro', productName: 'Pro', priceName: 'Pro, monthly', productCustomData: { ...limits, plan: 'pro' } },
  {
    priceId: 'pri_max',
    productName: 'Max',
    productCustomData: limits,
    customData: { memory_mb: 4096, max_tenants: 3 },
  },
  { priceId: 'pri_shirt', productName: 'A shirt' },
  { priceId: 'pri_broken', productName: 'Broken', customData: { memory_mb: 'much', volume_gb: 1 } },
  { priceId: 'pri_old', productName: 'Old', status: 'archived', customData: limits },
  { priceId: 'pri_setup', productName: 'Setup', interval: null, customData: limits },
] as const;

interface Account {
  readonly paddle: FakePaddle;
  readonly server: ServedHandler;
  billing(options?: Partial<PaddleBillingOptions>): PaddleBilling;
}

async function openAccount(
  database: TestDatabase,
  options: Partial<Parameters<typeof createFakePaddle>[0]> = {},
): Promise<Account> {
  const paddle = await createFakePaddle({ apiKey, catalog, retryAfterSeconds: 0, silenceMs: 500, ...options });
  const server = await serveHandler((request) => paddle.fetch(request));
  return {
    paddle,
    server,
    billing: (more = {}) =>
      createPaddleBilling({
        apiKey,
        environment: `http://${server.host}`,
        clientToken: 'test_client_token',
        baseUrl,
        store: database.store,
        logger: pino({ level: 'silent' }),
        retryMs: 1,
        ...more,
      }),
  };
}

billingSuite('paddle', async (): Promise<BillingWorld> => {
  const database = await startTestDatabase();
  const received: { body: Uint8Array; signature: string | null }[] = [];
  const secret = 'pdl_ntfset_new';
  const { paddle, server, billing } = await openAccount(database, {
    destination: {
      url: `${baseUrl}/api/v1/webhooks/paddle`,
      // The old secret signs too: one is being replaced by the other.
      secrets: ['pdl_ntfset_old', secret],
      fetch: async (_url, { body, headers }) => {
        received.push({
          body: Buffer.from(body as string),
          signature: new Headers(headers).get('paddle-signature'),
        });
        return Response.json({});
      },
    },
  });
  return {
    billing: billing(),
    secret,
    priceId: 'pri_starter',
    received: async () => {
      await paddle.settle();
      return received;
    },
    pay: async (id) => void paddle.pay(id),
    endPeriod: async (id) => paddle.endPeriod(id),
    stop: async () => {
      await server[Symbol.asyncDispose]();
      await database.close();
    },
  };
});

let database: TestDatabase;
let account: Account;
beforeAll(async () => {
  database = await startTestDatabase();
});
beforeEach(async () => {
  await account?.server[Symbol.asyncDispose]();
  account = await openAccount(database);
});
afterAll(async () => {
  await account.server[Symbol.asyncDispose]();
  await database.close();
});

const marker = { checkout_session_id: 'cs_1', user_id: 'user-1' };
const open = (billing: PaddleBilling, signal?: AbortSignal) =>
  billing.openTransaction({ priceId: 'pri_starter', marker, successUrl: undefined, signal });

test('plans come from the prices that say what they buy, the price before its product', async () => {
  expect(await account.billing().listPlans()).toEqual([
    { id: 'pri_starter', name: 'Starter', paddlePriceId: 'pri_starter', memoryMbDefault: 512, volumeGb: 1 },
    { id: 'pro', name: 'Pro, monthly', paddlePriceId: 'pri_pro', memoryMbDefault: 512, volumeGb: 1 },
    { id: 'pri_max', name: 'Max', paddlePriceId: 'pri_max', memoryMbDefault: 4096, volumeGb: 1, maxTenants: 3 },
  ]);
});

test('plans are asked for once in a while, by all who want them together, and old ones are better than none', async () => {
  let now = 0;
  const billing = account.billing({ planAgeMs: 1000, now: () => now, attempts: 1 });
  const [one, two] = await Promise.all([billing.listPlans(), billing.listPlans()]);
  expect(two).toEqual(one);
  await billing.listPlans();
  expect(account.paddle.requests).toEqual(['GET /prices']);
  now = 2000;
  account.paddle.failNext('error');
  expect(await billing.listPlans()).toEqual(one);
  now = 4000;
  await billing.listPlans();
  expect(account.paddle.requests).toEqual(['GET /prices', 'GET /prices']);
  const fresh = account.billing({ attempts: 1 });
  account.paddle.failNext('error');
  await expect(fresh.listPlans()).rejects.toMatchObject({ code: 'SP_BILLING_UNAVAILABLE' });
  expect(await fresh.listPlans()).toEqual(one);
});

test.each(['error', 'html', 'busy', 'lost-answer'] as const)(
  'after the answer "%s" a call is made again',
  async (fault) => {
    account.paddle.failNext(fault, fault);
    expect((await open(account.billing())).transactionId).toMatch(/^txn_/);
  },
);

test('a cancellation whose answer was lost has happened', async () => {
  const { transactionId } = await open(account.billing());
  const subscriptionId = account.paddle.pay(transactionId);
  // The look before it, and then the attempt itself; the second attempt is refused, since nothing is left to end.
  account.paddle.failNext('none', 'lost-answer');
  await account.billing().cancelSubscription(subscriptionId);
  const attempts = account.paddle.requests.filter((request) => request.endsWith('/cancel'));
  expect(attempts).toHaveLength(2);
  const ends = account.paddle.notifications.filter(({ event_type: type }) => type === 'subscription.canceled');
  expect(ends).toHaveLength(1);
});

test.each([
  [['error', 'error', 'error'], 'SP_BILLING_UNAVAILABLE', 'internal_error', 'ambiguous'],
  [['html', 'html', 'html'], 'SP_BILLING_UNAVAILABLE', undefined, 'ambiguous'],
  [['silence'], 'SP_BILLING_UNAVAILABLE', undefined, 'ambiguous'],
  [['busy', 'busy', 'busy'], 'SP_BILLING_BUSY', 'too_many_requests', 'transient'],
] as const)('%j without an end is a named error', async (faults, code, providerCode, failureClass) => {
  account.paddle.failNext(...faults);
  // An answer that comes is waited for, however late.
  const timeoutMs = code === 'SP_BILLING_UNAVAILABLE' && faults.length === 1 ? 100 : 60_000;
  const billing = account.billing({ timeoutMs, attempts: faults.length });
  await expect(open(billing)).rejects.toMatchObject({ code, providerCode, failureClass });
});

test('whoever asks for a long pause gets it from somebody with more time', async () => {
  const busy = await openAccount(database, { retryAfterSeconds: 60 });
  busy.paddle.failNext('busy');
  await expect(open(busy.billing())).rejects.toMatchObject({ code: 'SP_BILLING_BUSY', retryAfterSeconds: 60 });
  expect(busy.paddle.requests).toEqual([]);
  await busy.server[Symbol.asyncDispose]();
});

test('the limit of requests is kept to, however many come', async () => {
  const small = await openAccount(database, { limit: 2, retryAfterSeconds: 60 });
  const answers = await Promise.allSettled(Array.from({ length: 5 }, () => open(small.billing())));
  expect(answers.filter(({ status }) => status === 'fulfilled')).toHaveLength(2);
  await small.server[Symbol.asyncDispose]();
});

test('a call that is interrupted ends at once', async () => {
  account.paddle.failNext('silence');
  const controller = new AbortController();
  const opened = open(account.billing(), controller.signal);
  controller.abort(new Error('enough'));
  await expect(opened).rejects.toThrow('enough');
});

test('a key that is not known, and a server that is not there, are named; the key is in no error', async () => {
  const stranger = account.billing({ apiKey: `${apiKey}_wrong` });
  const nowhere = account.billing({ environment: 'http://127.0.0.1:9', attempts: 1 });
  const errors = await Promise.all(
    [stranger, nowhere].map((billing) =>
      open(billing).then(
        () => undefined,
        (error: unknown) => error,
      ),
    ),
  );
  expect(errors[0]).toMatchObject({ code: 'SP_BILLING_KEY', providerCode: 'invalid_token' });
  expect(errors[1]).toMatchObject({ code: 'SP_BILLING_UNAVAILABLE' });
  account.paddle.failNext('error', 'error', 'error');
  errors.push(await open(account.billing()).catch((error: unknown) => error));
  for (const error of errors) {
    expect(inspect(error, { depth: 9 })).not.toContain('canary');
    expect(JSON.stringify({ ...(error as object) })).not.toContain('canary');
  }
});

test('a subscription is left as it is when its end is refused for another reason', async () => {
  const { transactionId } = await open(account.billing());
  const subscriptionId = account.paddle.pay(transactionId);
  account.paddle.failNext('none', 'error', 'error', 'error');
  await expect(account.billing().cancelSubscription(subscriptionId)).rejects.toMatchObject({
    code: 'SP_BILLING_UNAVAILABLE',
    operation: 'cancel the subscription',
  });
});

test('the payment page belongs to a checkout of ours, and sends the browser where the program waits', async () => {
  const billing = account.billing();
  const userId = await insertUser(database.store);
  const redirectUri = 'http://127.0.0.1:45678/callback?x=</script><script>alert(1)</script>';
  const deps = { store: database.store, billing };
  const checkout = await createCheckoutSession(deps, { userId, priceId: 'pri_starter', region: 'iad', redirectUri });
  expect(checkout.checkoutUrl).toBe(`${baseUrl}/checkout?_ptxn=${checkout.transactionId}`);
  const page = await billing.pages.fetch(new Request(checkout.checkoutUrl));
  expect(page.status).toBe(200);
  const policy = page.headers.get('content-security-policy') ?? '';
  const nonce = /'nonce-([^']+)'/.exec(policy)?.[1] ?? '';
  const text = await page.text();
  expect(text).toContain(`<script nonce="${nonce}">`);
  expect(text).toContain('test_client_token');
  expect(text).not.toContain(apiKey);
  expect(text).toContain(`checkout_session_id=${checkout.checkoutSessionId}`);
  expect(text).not.toContain('<script>alert');
  for (const id of ['txn_unknown', '../../x', '']) {
    expect((await billing.pages.fetch(new Request(`${baseUrl}/checkout?_ptxn=${encodeURIComponent(id)}`))).status).toBe(
      404,
    );
  }
});
