import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AxeBuilder } from '@axe-core/playwright';
import { type LocalCloud, removeLocalCloud, startLocalCloud } from '@sp/management-api';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, expect, type TestContext, test } from 'vitest';
// @boundaries-ignore the tools do not use the libraries otherwise
import { createCloudApiClient } from '../../packages/cloud-api/src/index.ts';
import { deployHello } from './support/deploy-hello.ts';
import { chromiumPath, requirePart } from './support/require-part.ts';

let browser: Browser | undefined;
let folder: string;
let cloud: LocalCloud;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sp-dashboard-'));
  cloud = await startLocalCloud({ dataDir: join(folder, 'cloud'), port: 0, machines: 'process' });
});

afterAll(async () => {
  await browser?.close();
  await cloud?.stop();
  await removeLocalCloud({ dataDir: join(folder, 'cloud') });
  await rm(folder, { recursive: true, force: true });
});

interface Watched {
  readonly page: Page;
  readonly context: BrowserContext;
  /** Refused by the page's policy, thrown in it, or sent to elsewhere. */
  readonly problems: string[];
}

async function openPage(context: TestContext, options: Parameters<Browser['newContext']>[0] = {}): Promise<Watched> {
  requirePart('chromium', context);
  browser ??= await chromium.launch({
    executablePath: chromiumPath,
    args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-sync'],
  });
  const opened = await browser.newContext({ locale: 'en-GB', ...options });
  opened.setDefaultTimeout(120_000);
  const page = await opened.newPage();
  const problems: string[] = [];
  page.on('pageerror', (error) => problems.push(error.message));
  page.on('console', (message) => {
    if (/Content Security Policy|Trusted/i.test(message.text())) problems.push(message.text());
  });
  page.on('request', (request) => {
    if (!request.url().startsWith(`${cloud.url}/`)) problems.push(`request to ${request.url()}`);
  });
  return { page, context: opened, problems };
}

/** Everything that axe finds, not only what is serious. */
async function findings(page: Page): Promise<readonly string[]> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
}

async function logIn(page: Page, email: string): Promise<void> {
  await page.goto(`${cloud.url}/`);
  await page.getByRole('button', { name: 'Continue with GitHub' }).click();
  await page.getByLabel('E-mail').fill(email);
  await page.getByLabel('Name').fill('Ada Lovelace');
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.getByRole('heading', { level: 1, name: 'Tenants' }).waitFor();
}

/** The page's own tokens, for a program that works beside it. */
async function clientOf(page: Page) {
  const stored = await page.evaluate("sessionStorage.getItem('sp.tokens')");
  const { accessToken } = JSON.parse(String(stored)) as { accessToken: string };
  return createCloudApiClient({ environment: cloud.url, token: accessToken });
}

test('a person watches a tenant from its purchase to its end', async (context) => {
  const { page, problems } = await openPage(context);
  const response = await page.goto(`${cloud.url}/`);
  const policy = response?.headers()['content-security-policy'] ?? '';
  expect(policy).toContain("default-src 'none'");
  expect(policy).not.toMatch(/unsafe|nonce|https?:/);
  expect(await findings(page)).toEqual([]);
  await logIn(page, 'ada@example.com');
  // Neither the code nor a token stays in the address, the history, or storage that outlives the tab.
  expect(page.url()).toBe(`${cloud.url}/`);
  expect(await page.evaluate('localStorage.length + document.cookie.length')).toBe(0);
  await page.getByRole('heading', { name: 'No tenants yet' }).waitFor();
  await page.getByText('systemprompt cloud tenant create').waitFor();
  expect(await findings(page)).toEqual([]);

  await page.getByRole('link', { name: 'New tenant' }).click();
  await page.getByLabel('Name').fill('shop');
  await page.getByRole('radio', { name: /Starter/ }).waitFor();
  expect(await findings(page)).toEqual([]);
  await page.getByRole('button', { name: 'Continue to payment' }).click();
  await page.getByRole('button', { name: /^Pay/ }).click();
  await page.getByRole('heading', { level: 1, name: 'shop' }).waitFor();
  expect(page.url()).toMatch(/\/#\/tenants\/[\w-]+$/);
  const timeline = page.getByRole('region', { name: 'Timeline' });
  for (const step of ['Subscription paid', 'Database created', 'Ready for the first deploy']) {
    await timeline.getByText(step, { exact: true }).waitFor();
  }
  await page.getByText('systemprompt cloud deploy', { exact: true }).waitFor();
  expect(await findings(page)).toEqual([]);
  // When each step was, how long ago that is, and how long it took.
  const step = timeline.getByRole('listitem').filter({ hasText: 'Database created' });
  expect(await step.locator('time').first().getAttribute('datetime')).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
  expect(await step.locator('time').nth(1).textContent()).toMatch(/^(just now|\d+ (seconds|minutes?) ago)$/);
  expect(await step.textContent()).toMatch(/took \d+/);

  const tenantId = page.url().split('/').at(-1) ?? '';
  const api = await clientOf(page);
  const first = await deployHello(api, { tenantId, folder });
  expect(first.status).toBe('running');
  await timeline.getByText('Release is live').waitFor();
  await page.locator('.head').getByText('Running', { exact: true }).waitFor();
  const releases = page.getByRole('region', { name: 'Releases' });
  await releases.getByText(first.digest?.slice(0, 19) ?? 'no digest').waitFor();
  await page
    .getByRole('log')
    .getByText(/Listening on/)
    .first()
    .waitFor();
  expect(await findings(page)).toEqual([]);

  // A second release, and back to the first by the button.
  await deployHello(api, { tenantId, folder, greeting: 'Hello again' });
  await releases.getByRole('button', { name: 'Roll back to release 1' }).click();
  const dialog = page.getByRole('dialog');
  expect(await findings(page)).toEqual([]);
  await dialog.getByRole('button', { name: 'Roll back' }).click();
  await releases.getByText('brought back #1').waitFor();
  await page.locator('.head').getByText('Running', { exact: true }).waitFor();
  await page.getByRole('region', { name: 'Audit log' }).getByText('releases.rollback').first().waitFor();
  expect(await findings(page)).toEqual([]);

  await page.getByRole('button', { name: 'Delete…' }).click();
  const remove = dialog.getByRole('button', { name: 'Delete tenant' });
  await dialog.getByLabel('Type shop to go on').fill('shops');
  expect(await remove.isDisabled()).toBe(true);
  expect(await findings(page)).toEqual([]);
  await dialog.getByLabel('Type shop to go on').fill('shop');
  await remove.click();
  await page.getByRole('heading', { name: 'No tenants yet' }).waitFor();
  expect(await api.tenants.list()).toEqual([]);

  await page.getByRole('button', { name: 'Log out' }).click();
  await page.getByRole('button', { name: 'Continue with GitHub' }).waitFor();
  // The page waits for nobody, but the server hears of it.
  const answer = (): Promise<unknown> => api.tenants.list().catch((error: { code: string }) => error.code);
  await expect.poll(answer).toBe('SP_API_UNAUTHORIZED');
  expect(problems).toEqual([]);
});

test('a fleet shows what needs somebody first, and is found by name and by state', async (context) => {
  const { page, problems } = await openPage(context);
  await logIn(page, 'fleet@example.com');
  const api = await clientOf(page);
  const { user } = await api.user.get();
  const hostile = '<img src=x onerror=alert(1)>';
  const long = 'a-very-long-name-'.repeat(8);
  const names = [...Array.from({ length: 46 }, (_, index) => `service-${index}`), hostile, long, 'moving'];
  const tenants = [...names, 'broken'].map((name, index) => ({
    id: `45450f5b-82b3-43aa-ae1c-${String(index).padStart(12, '0')}`,
    name,
    hostname: `${index}.localhost`,
    region: 'fra',
    state: { moving: 'deploying', broken: 'provision_failed' }[name] ?? (index < 5 ? 'suspended' : 'running'),
    message: name === 'broken' ? 'There is no capacity in fra' : undefined,
    database_url: 'postgresql://x:***@db/x',
    version: 1,
  }));
  // As a server with a fleet answers; to make one takes minutes.
  const asked: string[] = [];
  await page.route('**/api/v1/**', (route) => {
    const { pathname } = new URL(route.request().url());
    asked.push(pathname);
    if (pathname === '/api/v1/auth/me') return route.fulfill({ json: { user, tenants } });
    if (!pathname.endsWith('/releases')) return route.continue();
    const release = {
      id: 'r',
      number: 7,
      digest: `sha256:${'0'.repeat(64)}`,
      image: 'x',
      status: 'running',
      secrets_version: 1,
    };
    return route.fulfill({
      json: { data: [{ ...release, created_at: new Date(Date.now() - 7_200_000).toISOString() }] },
    });
  });
  const rows = page.getByRole('row');
  await page.getByText('2 hours ago').nth(49).waitFor();
  expect(await rows.count()).toBe(51);
  expect(await rows.nth(1).textContent()).toContain('brokenProvisioning failedThere is no capacity in fra');
  expect(await rows.nth(2).textContent()).toContain('service-0Suspended');
  expect(await rows.nth(7).textContent()).toContain('movingDeploying');
  expect(await page.locator('table img').count()).toBe(0);
  expect(await findings(page)).toEqual([]);

  await page.getByLabel('Find').fill('SERVICE-1');
  await expect.poll(() => rows.count()).toBe(12);
  await page.getByRole('status').getByText('11 of 50 tenants').waitFor();
  await page.getByRole('button', { name: 'Suspended 5' }).click();
  await expect.poll(() => rows.count()).toBe(2);
  expect(await page.getByRole('button', { name: 'Suspended 5' }).getAttribute('aria-pressed')).toBe('true');
  await page.getByLabel('Find').fill('nothing');
  await page.getByText('No tenant is like that.').waitFor();
  expect(await findings(page)).toEqual([]);
  await page.getByLabel('Find').fill('');
  await page.getByRole('button', { name: 'All 50' }).click();
  await expect.poll(() => rows.count()).toBe(51);

  // At 200 %, on a phone and in the dark.
  for (const width of [600, 360]) {
    await page.setViewportSize({ width, height: 450 });
    expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true);
  }
  await page.emulateMedia({ colorScheme: 'dark' });
  expect(await findings(page)).toEqual([]);
  // A fleet that stands still costs one request a look.
  expect(asked.filter((path) => path.endsWith('/releases'))).toHaveLength(50);
  expect(problems).toEqual([]);
});

/** Presses Tab until something of this name has the focus. */
async function tabTo(page: Page, name: string): Promise<void> {
  for (let presses = 0; presses < 40; presses += 1) {
    await page.keyboard.press('Tab');
    const focused = await page.evaluate(
      'document.activeElement?.ariaLabel ?? document.activeElement?.labels?.[0]?.textContent ?? document.activeElement?.textContent',
    );
    if (focused === name) return;
  }
  throw new Error(`Tab never reaches ${name}`);
}

const focusedText = (page: Page): Promise<unknown> => page.evaluate('document.activeElement?.textContent');

test('everything is done with the keyboard alone, in dark mode and without motion', async (context) => {
  const { page, problems } = await openPage(context, { colorScheme: 'dark', reducedMotion: 'reduce' });
  await page.goto(`${cloud.url}/`);
  expect(await page.evaluate('getComputedStyle(document.body).backgroundColor')).toBe('rgb(14, 16, 22)');
  await page.getByRole('button', { name: 'Continue with Google' }).waitFor();
  await tabTo(page, 'Continue with Google');
  await page.keyboard.press('Enter');
  await page.getByLabel('E-mail').waitFor();
  await tabTo(page, 'E-mail address\n');
  await page.keyboard.type('grace@example.com');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'No tenants yet' }).waitFor();
  await tabTo(page, 'New tenant');
  await page.keyboard.press('Enter');
  await page.getByRole('radio', { name: /Starter/ }).waitFor();
  // The form begins in its first field.
  await page.keyboard.type('-no-name');
  await page.keyboard.press('Enter');
  expect(await page.evaluate("document.querySelector('input[name=name]').validity.patternMismatch")).toBe(true);
  await page.keyboard.press('Control+A');
  await page.keyboard.type('keys');
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: /^Pay/ }).waitFor();
  await tabTo(page, (await page.getByRole('button', { name: /^Pay/ }).textContent()) ?? '');
  await page.keyboard.press('Enter');

  await page.getByRole('heading', { level: 1, name: 'keys' }).waitFor();
  // Whoever hears the page begins at its title, and can skip what is above it.
  await expect.poll(() => focusedText(page)).toBe('keys');
  await page.getByText('Ready for a deploy', { exact: true }).waitFor();
  expect(await findings(page)).toEqual([]);
  await tabTo(page, 'Delete…');
  await page.keyboard.press('Enter');
  await page.getByRole('dialog').waitFor();
  const focusedId = (): Promise<unknown> => page.evaluate('document.activeElement?.id');
  await expect.poll(focusedId).toBe('typed');
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  await expect.poll(() => focusedText(page)).toBe('Delete…');
  // Looks at the server come and go under it.
  await page.waitForResponse((response) => response.url().endsWith('/status'));
  await page.waitForResponse((response) => response.url().endsWith('/status'));
  expect(await focusedText(page)).toBe('Delete…');
  await page.keyboard.press('Enter');
  await expect.poll(focusedId).toBe('typed');
  await page.keyboard.type('keys');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'No tenants yet' }).waitFor();
  const moving = "document.getAnimations().filter((animation) => animation.playState === 'running').length";
  expect(await page.evaluate(moving)).toBe(0);
  expect(problems).toEqual([]);
});

test('what goes wrong is one sentence with the request, and a phone shows it all', async (context) => {
  const { page, problems } = await openPage(context, { viewport: { width: 360, height: 740 } });
  await logIn(page, 'joan@example.com');
  expect(await findings(page)).toEqual([]);
  await page.goto(`${cloud.url}/#/tenants/45450f5b-82b3-43aa-ae1c-7741da83b801`);
  const alert = page.getByRole('alert');
  await alert.getByText(/^There is no such tenant/).waitFor();
  await alert.getByText(/^req_[\w-]+$/).waitFor();
  expect(await findings(page)).toEqual([]);
  expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true);

  // A login that the server ended is said, and begins anew.
  const api = await clientOf(page);
  const [session] = await api.auth.listSessions();
  await api.auth.deleteSession(session?.id ?? '');
  await page.goto(`${cloud.url}/#/`);
  await alert.getByText('Your login has ended. Log in again.').waitFor();
  await page.getByRole('button', { name: 'Continue with GitHub' }).waitFor();
  expect(await findings(page)).toEqual([]);
  expect(problems).toEqual([]);
});

test('a login that was begun elsewhere is not taken up', async (context) => {
  const { page, problems } = await openPage(context);
  await page.goto(`${cloud.url}/?code=somebody-elses&state=01234567`);
  await page.getByRole('alert').getByText('That login was not begun here. Begin it again.').waitFor();
  expect(page.url()).toBe(`${cloud.url}/`);
  expect(await page.evaluate('sessionStorage.length')).toBe(0);
  expect(problems).toEqual([]);
});

test('programs get the API at the same address, and files of the page never change', async () => {
  const home = await fetch(`${cloud.url}/`, { headers: { accept: 'application/json' } });
  expect(await home.json()).toMatchObject({ service: 'systemprompt-management-api' });
  const html = await (await fetch(`${cloud.url}/`, { headers: { accept: 'text/html' } })).text();
  expect(html).not.toMatch(/<script(?![^>]* src=)|<style| style=| on\w+=/);
  for (const [, path = ''] of html.matchAll(/(?:src|href)="([^"]+)"/g)) {
    const asset = await fetch(new URL(path, cloud.url));
    expect(asset.status, path).toBe(200);
    expect(asset.headers.get('cache-control')).toContain('immutable');
    expect(asset.headers.get('x-content-type-options')).toBe('nosniff');
  }
});
