import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import {
  type CheckoutCallbackResult,
  type CheckoutFlowEvent,
  type CheckoutFlowOptions,
  resumeCheckout,
  runCheckoutCallbackFlow,
} from '../src/index.ts';
import { type FakeCloud, fakeCloud } from './fake-cloud.ts';

interface Flow {
  readonly cloud: FakeCloud;
  readonly result: Promise<CheckoutCallbackResult>;
  readonly events: CheckoutFlowEvent[];
  /** The listener's address, once there is one. */
  readonly redirectUri: string;
}

async function startFlow(options: Partial<CheckoutFlowOptions> = {}): Promise<Flow> {
  const cloud = await fakeCloud();
  const events: CheckoutFlowEvent[] = [];
  const stop = new AbortController();
  onTestFinished(() => stop.abort());
  let opened: (url: string) => void = () => undefined;
  const ready = new Promise<string>((resolve) => {
    opened = resolve;
  });
  const result = runCheckoutCallbackFlow({
    api: cloud.api,
    createCheckout: ({ redirectUri }) => cloud.api.checkout.create({ priceId: 'pri_1', region: 'iad', redirectUri }),
    openBrowser: (url) => opened(url),
    signal: stop.signal,
    ...options,
    onEvent(event) {
      events.push(event);
      options.onEvent?.(event);
    },
  });
  result.catch(() => undefined);
  if (options.openBrowser === undefined) expect(await ready).toBe('https://pay.test/txn_1');
  const listening = events.find((event) => event.type === 'listening');
  return { cloud, result, events, redirectUri: listening?.redirectUri ?? '' };
}

const pending = '?status=pending&checkout_session_id=cs_1&transaction_id=txn_1';

test('paid in the browser: the tab waits, then shows the result', async () => {
  const { cloud, result, events, redirectUri } = await startFlow();
  const page = await fetch(redirectUri + pending);
  expect(page.headers.get('content-security-policy')).toContain("connect-src 'self'");
  expect(await page.text()).toContain('Payment confirmed');
  // A second callback (a reload) starts nothing more.
  expect((await fetch(redirectUri + pending)).status).toBe(200);
  const status = new URL('/status', redirectUri);
  expect(await (await fetch(status)).json()).toMatchObject({ done: false, tone: 'waiting' });
  cloud.emit('subscription_created');
  cloud.emit('database_created', { message: 'Database made' });
  cloud.emit('infrastructure_ready', { fly_app_name: 'sp-t-1' });
  let shown: unknown;
  do shown = await (await fetch(status)).json();
  while (!(shown as { done: boolean }).done);
  expect(shown).toMatchObject({ tone: 'success', message: expect.stringContaining('t_1') });
  expect(await result).toEqual({
    transactionId: 'txn_1',
    tenantId: 't_1',
    flyAppName: 'sp-t-1',
    needsDeploy: true,
    checkoutSessionId: 'cs_1',
  });
  expect(events.filter((event) => event.type === 'payment-confirmed')).toHaveLength(1);
  expect(events.flatMap((event) => (event.type === 'provisioning' ? [event.event.eventType] : []))).toEqual([
    'subscription_created',
    'database_created',
    'infrastructure_ready',
  ]);
  expect(cloud.requests.get('/api/v1/checkout/cs_1/events')).toBe(1);
  await expect(fetch(redirectUri)).rejects.toThrow();
});

test('of ten callbacks at once every tab is shown the result, and one stream is followed', async () => {
  const { cloud, result, events, redirectUri } = await startFlow();
  const tabs = await Promise.all(Array.from({ length: 10 }, () => fetch(redirectUri + pending)));
  for (const tab of tabs) expect(await tab.text()).toContain('Payment confirmed');
  cloud.emit('infrastructure_ready');
  const status = new URL('/status', redirectUri);
  const polls = tabs.map(async () => {
    for (;;) {
      const shown = (await (await fetch(status)).json()) as { done: boolean; tone: string };
      if (shown.done) return shown.tone;
    }
  });
  expect(await Promise.all(polls)).toEqual(tabs.map(() => 'success'));
  expect(await result).toMatchObject({ tenantId: 't_1', needsDeploy: true });
  expect(events.filter((event) => event.type === 'payment-confirmed')).toHaveLength(1);
  expect(cloud.requests.get('/api/v1/checkout/cs_1/events')).toBe(1);
});

test('given up and resumed: nothing that happened in between is lost', async () => {
  const stop = new AbortController();
  const { cloud, result } = await startFlow({ signal: stop.signal });
  stop.abort();
  const error = (await result.catch((reason: unknown) => reason)) as { checkoutSessionId: string };
  cloud.emit('database_created');
  cloud.emit('infrastructure_ready', { fly_app_name: 'sp-t-1' });
  const seen: string[] = [];
  const resumed = await resumeCheckout({
    api: cloud.api,
    sessionId: error.checkoutSessionId,
    onEvent: (event) => event.type === 'provisioning' && seen.push(event.event.eventType),
  });
  expect(resumed).toEqual({
    transactionId: 'txn_1',
    tenantId: 't_1',
    flyAppName: 'sp-t-1',
    needsDeploy: true,
    checkoutSessionId: 'cs_1',
  });
  expect(seen).toEqual(['database_created', 'infrastructure_ready']);
});

test('resumed later: what the tenant is now counts, not what the session said then', async () => {
  const cloud = await fakeCloud();
  cloud.emit('infrastructure_ready');
  cloud.setStatus('running');
  const resume = (): Promise<CheckoutCallbackResult> => resumeCheckout({ api: cloud.api, sessionId: 'cs_1' });
  expect(await resume()).toMatchObject({ tenantId: 't_1', needsDeploy: false });
  cloud.setStatus('awaiting_deploy');
  expect(await resume()).toMatchObject({ tenantId: 't_1', needsDeploy: true });

  const failed = await fakeCloud();
  failed.emit('provisioning_failed', { message: 'no capacity' });
  failed.setStatus('provision_failed');
  const again = (): Promise<unknown> => resumeCheckout({ api: failed.api, sessionId: 'cs_1' });
  await expect(again()).rejects.toMatchObject({ code: 'SP_CHECKOUT_PROVISIONING_FAILED', reason: 'no capacity' });
  failed.setStatus('running');
  expect(await again()).toMatchObject({ tenantId: 't_1', needsDeploy: false });
});

test('paid on another device: the events alone end it', async () => {
  const { cloud, result } = await startFlow();
  cloud.emit('tenant_ready');
  expect(await result).toMatchObject({ tenantId: 't_1', needsDeploy: false });
});

test('a completed callback of this very payment ends it', async () => {
  const { result, redirectUri } = await startFlow();
  const query = new URLSearchParams({ status: 'completed', transaction_id: 'txn_1', tenant_id: '<b>t&1</b>' });
  const text = await (await fetch(`${redirectUri}?${query}`)).text();
  expect(text).toContain('&lt;b&gt;t&amp;1&lt;/b&gt;');
  expect(text).not.toContain('<b>t');
  expect(await result).toMatchObject({ tenantId: '<b>t&1</b>', needsDeploy: false, transactionId: 'txn_1' });
});

test.each([
  ['of another payment', '?status=completed&transaction_id=txn_2&tenant_id=evil'],
  ['of another checkout', '?status=pending&checkout_session_id=cs_2'],
  ['without ids', '?status=completed&tenant_id=evil'],
  ['without a status', '?transaction_id=txn_1&tenant_id=t_1'],
  ['completed without a tenant', '?status=completed&transaction_id=txn_1'],
  ['empty', ''],
])('a callback %s changes nothing', async (_, query) => {
  const { cloud, result, events, redirectUri } = await startFlow();
  const response = await fetch(redirectUri + query);
  expect(response.status).toBe(400);
  expect(events.map(({ type }) => type)).toContain('callback-invalid');
  expect(events.map(({ type }) => type)).not.toContain('payment-confirmed');
  cloud.emit('infrastructure_ready');
  expect(await result).toMatchObject({ tenantId: 't_1' });
});

test.each([
  ['?error=canceled', 'canceled'],
  ['?status=past_due&transaction_id=txn_1&tenant_id=t_1', 'past_due'],
  ['?error=%3Cimg%20src=x%3E&checkout_session_id=cs_1', '<img src=x>'],
  // What a terminal would obey, and what would fill it.
  ['?error=%1b%5d0%3bowned%07no%0d%0amore%e2%80%ae', ']0;owned no more'],
  ['?error=%00', '(no reason given)'],
  [`?error=${'x'.repeat(5_000)}`, 'x'.repeat(300)],
])('declined: %s', async (query, reason) => {
  const { result, redirectUri } = await startFlow();
  expect(await (await fetch(redirectUri + query)).text()).not.toContain('<img');
  await expect(result).rejects.toMatchObject({ code: 'SP_CHECKOUT_DECLINED', reason, checkoutSessionId: 'cs_1' });
});

test('provisioning that fails is an error, and the tab says so', async () => {
  const { cloud, result, redirectUri } = await startFlow();
  await fetch(redirectUri + pending);
  cloud.emit('provisioning_failed', { message: 'no capacity in <iad>' });
  const status = new URL('/status', redirectUri);
  let shown: { done: boolean; tone: string; message: string };
  do shown = (await (await fetch(status)).json()) as typeof shown;
  while (!shown.done);
  expect(shown).toMatchObject({ tone: 'error', message: expect.stringContaining('no capacity') });
  await expect(result).rejects.toMatchObject({
    code: 'SP_CHECKOUT_PROVISIONING_FAILED',
    tenantId: 't_1',
    reason: 'no capacity in <iad>',
  });
});

test('a session that the server does not know yet is asked for again', async () => {
  let refuse = true;
  const cloud = await fakeCloud();
  cloud.refuseStreams(404);
  const result = resumeCheckout({ api: cloud.api, sessionId: 'cs_1' });
  while (refuse) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    refuse = (cloud.requests.get('/api/v1/checkout/cs_1/events') ?? 0) === 0;
  }
  cloud.refuseStreams(undefined);
  cloud.emit('infrastructure_ready');
  expect(await result).toEqual({
    transactionId: 'cs_1',
    tenantId: 't_1',
    flyAppName: undefined,
    needsDeploy: true,
    checkoutSessionId: 'cs_1',
  });
});

test('a tenant that was deleted since is told as gone, and not waited for', async () => {
  const cloud = await fakeCloud();
  cloud.emit('subscription_created');
  cloud.emit('tenant_deleted');
  cloud.refuseStatus(404);
  await expect(resumeCheckout({ api: cloud.api, sessionId: 'cs_1', timeoutMs: 20_000 })).rejects.toMatchObject({
    code: 'SP_API_NOT_FOUND',
  });
});

test('a tenant that is deleted while its payment is waited for ends the flow', async () => {
  const { cloud, result } = await startFlow();
  cloud.emit('subscription_created');
  cloud.emit('tenant_deleted');
  await expect(result).rejects.toMatchObject({ code: 'SP_CHECKOUT_PROVISIONING_FAILED', tenantId: 't_1' });
});

test('a login that is not valid ends it at once', async () => {
  const cloud = await fakeCloud();
  cloud.refuseStreams(401);
  await expect(resumeCheckout({ api: cloud.api, sessionId: 'cs_1' })).rejects.toMatchObject({
    code: 'SP_API_UNAUTHORIZED',
  });
});

test('a browser that does not open is an event', async () => {
  let failed: () => void = () => undefined;
  const browserFailed = new Promise<void>((resolve) => {
    failed = resolve;
  });
  const { cloud, result, events } = await startFlow({
    openBrowser: () => Promise.reject(new Error('no display')),
    onEvent: ({ type }) => type === 'browser-failed' && failed(),
  });
  await browserFailed;
  expect(events).toContainEqual({ type: 'browser-failed', message: 'no display' });
  expect(events).toContainEqual({ type: 'checkout-url', url: 'https://pay.test/txn_1', checkoutSessionId: 'cs_1' });
  cloud.emit('tenant_ready');
  await result;
});

test('time runs out, with the session to resume', async () => {
  const { result } = await startFlow({ timeoutMs: 2000 });
  await expect(result).rejects.toMatchObject({
    code: 'SP_CHECKOUT_TIMEOUT',
    seconds: 2,
    checkoutSessionId: 'cs_1',
  });
});

test('it can be given up, and then nothing listens any more', async () => {
  const stop = new AbortController();
  const { result, redirectUri } = await startFlow({ signal: stop.signal });
  await fetch(redirectUri + pending);
  stop.abort();
  await expect(result).rejects.toMatchObject({ code: 'SP_CHECKOUT_ABORTED', checkoutSessionId: 'cs_1' });
  await expect(fetch(redirectUri)).rejects.toThrow();
});

test('given up before it began, it opens no session', async () => {
  const cloud = await fakeCloud();
  const flow = runCheckoutCallbackFlow({
    api: cloud.api,
    createCheckout: () => cloud.api.checkout.create({ priceId: 'p', region: 'iad' }),
    openBrowser: () => undefined,
    signal: AbortSignal.abort(),
  });
  await expect(flow).rejects.toMatchObject({ code: 'SP_CHECKOUT_ABORTED' });
  expect(cloud.requests.size).toBe(0);
});

test('a port that is taken is named', async () => {
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const { result } = await startFlow({ port, openBrowser: () => undefined });
  await expect(result).rejects.toMatchObject({ code: 'SP_CHECKOUT_PORT_BUSY', port });
});

test("the caller's own pages are shown, ids escaped", async () => {
  const templates = { successHtml: 'own {{TENANT_ID}} and {{TENANT_ID}}', waitingHtml: 'own waiting' };
  const { cloud, result, redirectUri } = await startFlow({ templates });
  expect(await (await fetch(redirectUri + pending)).text()).toBe('own waiting');
  const query = new URLSearchParams({ status: 'completed', transaction_id: 'txn_1', tenant_id: "$&'<" });
  expect(await (await fetch(`${redirectUri}?${query}`)).text()).toBe('own $&amp;&#39;&lt; and $&amp;&#39;&lt;');
  await result;
  expect(cloud.requests.get('/api/v1/checkout')).toBe(1);
});
