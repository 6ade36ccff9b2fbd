import { mkdtemp, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AxeBuilder } from '@axe-core/playwright';
import { serve } from '@hono/node-server';
import {
  type LocalCloud,
  migrateStore,
  openStore,
  removeEmbeddedPostgres,
  removeLocalCloud,
  startEmbeddedPostgres,
  startLocalCloud,
} from '@sp/management-api';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, expect, type TestContext, test } from 'vitest';
// @boundaries-ignore the page belongs to a driver that the tools do not use otherwise
import { paddleCheckoutPages } from '../../apps/management-api/src/billing/paddle-checkout-pages.ts';
import { chromiumPath, requirePart } from './support/require-part.ts';

let browser: Browser | undefined;
let folder: string;
const stops: (() => Promise<unknown>)[] = [];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sp-billing-pages-'));
});
afterAll(async () => {
  await browser?.close();
  for (const stop of stops.toReversed()) await stop();
  await rm(folder, { recursive: true, force: true });
});

async function openPage(context: TestContext, colorScheme: 'light' | 'dark') {
  requirePart('chromium', context);
  browser ??= await chromium.launch({ executablePath: chromiumPath, args: ['--no-sandbox', '--disable-gpu'] });
  const page = await (await browser.newContext({ colorScheme })).newPage();
  page.setDefaultTimeout(120_000);
  const refused: string[] = [];
  page.on('console', (message) => {
    if (/Content Security Policy/i.test(message.text())) refused.push(message.text());
  });
  return { page, refused };
}

async function seriousFindings(page: Page): Promise<readonly string[]> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  return violations.filter(({ impact }) => impact === 'serious' || impact === 'critical').map(({ id }) => id);
}

/** Buys a tenant through the pages and gives its subscription. */
async function buy(cloud: LocalCloud): Promise<string> {
  const redirect_uri = 'http://127.0.0.1:45678/callback';
  const begun = await fetch(`${cloud.url}/api/v1/auth/oauth/github?${new URLSearchParams({ redirect_uri })}`);
  const { authorize_url: url } = (await begun.json()) as { authorize_url: string };
  const form = { ...Object.fromEntries(new URL(url).searchParams), action: 'continue', email: 'ada@example.com' };
  const submit = async (address: string, body: Record<string, string>) => {
    const answer = await fetch(address, { method: 'POST', body: new URLSearchParams(body), redirect: 'manual' });
    return answer.headers.get('location') ?? '';
  };
  const callback = await submit(`${cloud.url}/sandbox/identity`, form);
  const back = await fetch(callback, { redirect: 'manual' });
  const token = new URL(back.headers.get('location') ?? '').searchParams.get('access_token') ?? '';
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const body = JSON.stringify({ price_id: 'pri_sandbox_starter', region: 'iad' });
  const opened = await fetch(`${cloud.url}/api/v1/checkout`, { method: 'POST', headers, body });
  await submit(((await opened.json()) as { checkout_url: string }).checkout_url, { action: 'pay' });
  const me = await fetch(`${cloud.url}/api/v1/auth/me`, { headers });
  const { tenants } = (await me.json()) as { tenants: { subscription_id: string }[] };
  return tenants[0]?.subscription_id ?? '';
}

test('the sandbox’s page about a subscription works with the keyboard and has nothing serious against it', async (context) => {
  const { page, refused } = await openPage(context, 'dark');
  const dataDir = join(folder, 'cloud');
  stops.push(() => removeLocalCloud({ dataDir }));
  const cloud = await startLocalCloud({ dataDir, port: 0, machines: 'process' });
  stops.push(() => cloud.stop());
  await page.goto(`${cloud.url}/sandbox/portal/${await buy(cloud)}`);
  expect(await seriousFindings(page)).toEqual([]);
  for (const [button, status] of [
    ['Pause', 'paused'],
    ['Go on', 'active'],
    ['Let a payment fail', 'past due'],
    ['Cancel', 'canceled'],
  ] as const) {
    await page.getByRole('button', { name: button }).focus();
    await page.keyboard.press('Enter');
    await page.getByText(status, { exact: true }).waitFor();
  }
  expect(await page.getByRole('button').count()).toBe(0);
  expect(await seriousFindings(page)).toEqual([]);
  expect(refused).toEqual([]);
});

/** As much of Paddle.js as the page uses, and where it has its style and its form from. */
const paddleScript = `
const load = (name, attributes) =>
  new Promise((done, failed) => {
    const element = Object.assign(document.createElement(name), attributes);
    element.onload = done;
    element.onerror = failed;
    document.body.append(element);
  });
window.environment = 'production';
window.Paddle = {
  Environment: { set: (name) => { window.environment = name; } },
  Initialize: (options) => {
    window.paddle = options;
    const prefix = window.environment === 'production' ? '' : 'sandbox-';
    const href = 'https://' + prefix + 'cdn.paddle.com/paddle/v2/assets/css/paddle.css';
    window.opened = Promise.all([
      load('link', { rel: 'stylesheet', href }),
      load('iframe', { src: 'https://' + prefix + 'buy.paddle.com/', title: 'Paddle' }),
    ]);
  },
};`;

test.for([
  { environment: 'sandbox', prefix: 'sandbox-' },
  { environment: 'production', prefix: '' },
])(
  'Paddle’s payment page runs what it needs under its policy, and goes on to the program that waits: $environment',
  async ({ environment, prefix }, context) => {
    const { page, refused } = await openPage(context, 'light');
    const dataDir = join(folder, `postgres-${environment}`);
    stops.push(() => removeEmbeddedPostgres({ dataDir }));
    const postgres = await startEmbeddedPostgres({ dataDir });
    stops.push(() => postgres.stop());
    const store = await openStore(postgres.url);
    stops.push(() => store.close());
    await migrateStore(store);
    const user = await store.pool.query("insert into users (email) values ('ada@example.com') returning id");
    const returnUrl = 'http://127.0.0.1:45678/callback?own=</script>';
    await store.pool.query(
      "insert into checkout_sessions (id, user_id, price_id, region, tenant_name, redirect_uri, transaction_id) values ('cs_1', $1, 'pri_1', 'iad', 'shop', $2, 'txn_1')",
      [(user.rows[0] as { id: string }).id, returnUrl],
    );
    const pages = paddleCheckoutPages({ store, clientToken: 'test_token', environment });
    const port = await new Promise<number>((done) => {
      const server = serve({ fetch: pages.fetch, hostname: '127.0.0.1', port: 0 }, (info: AddressInfo) =>
        done(info.port),
      );
      stops.push(() => new Promise((closed) => server.close(closed)));
    });
    await page.route('https://cdn.paddle.com/**', (route) =>
      route.fulfill({ contentType: 'text/javascript', body: paddleScript }),
    );
    await page.route(`https://${prefix}cdn.paddle.com/**/*.css`, (route) =>
      route.fulfill({ contentType: 'text/css', body: '#state { letter-spacing: 7px; }' }),
    );
    await page.route(`https://${prefix}buy.paddle.com/**`, (route) =>
      route.fulfill({ contentType: 'text/html', body: '<!doctype html><title>Paddle</title><p>Pay</p>' }),
    );
    await page.route('http://127.0.0.1:45678/**', (route) => route.fulfill({ body: 'the program' }));
    await page.goto(`http://127.0.0.1:${port}/checkout?_ptxn=txn_1`);
    expect(await page.evaluate('[window.environment, window.paddle.token]')).toEqual([environment, 'test_token']);
    await page.evaluate('window.opened.then(() => undefined)');
    expect(await page.evaluate("getComputedStyle(document.getElementById('state')).letterSpacing")).toBe('7px');
    expect(await seriousFindings(page)).toEqual([]);
    expect(refused).toEqual([]);

    await page.evaluate("window.paddle.eventCallback({ name: 'checkout.loaded' })");
    expect(page.url()).toContain('_ptxn=txn_1');
    await page.evaluate("window.paddle.eventCallback({ name: 'checkout.completed' })");
    await page.waitForURL('http://127.0.0.1:45678/**');
    const returned = new URL(page.url()).searchParams;
    expect(Object.fromEntries(returned)).toEqual({
      own: '</script>',
      status: 'pending',
      transaction_id: 'txn_1',
      checkout_session_id: 'cs_1',
    });
  },
);
