import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AxeBuilder } from '@axe-core/playwright';
import { type LocalCloud, startLocalCloud } from '@sp/management-api';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, expect, type TestContext, test } from 'vitest';
// @boundaries-ignore the pages belong to libraries that the tools do not use otherwise
import { createCloudApiClient, isCloudApiError } from '../../packages/cloud-api/src/index.ts';
// @boundaries-ignore as above
import { runDeviceFlow, runOAuthFlow } from '../../packages/credentials/src/login.ts';
// @boundaries-ignore as above
import { createLoopback, type PageTone, renderPage } from '../../packages/loopback/src/index.ts';
import { chromiumPath, requirePart } from './support/require-part.ts';

let browser: Browser | undefined;
let folder: string;
let cloud: LocalCloud | undefined;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sp-pages-'));
});

afterAll(async () => {
  await browser?.close();
  await cloud?.stop();
  await rm(folder, { recursive: true, force: true });
});

/** A page that knows what its own policy refused. */
async function openPage(context: TestContext, colorScheme: 'light' | 'dark' = 'light') {
  requirePart('chromium', context);
  browser ??= await chromium.launch({ executablePath: chromiumPath, args: ['--no-sandbox', '--disable-gpu'] });
  // CSP stays on: axe is run in a world of its own.
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
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
}

const tones: readonly PageTone[] = ['success', 'error', 'waiting'];

test.for(tones.flatMap((tone) => (['light', 'dark'] as const).map((scheme) => ({ tone, scheme }))))(
  'the $tone page in $scheme has nothing serious against it, and its policy allows it and nothing else',
  async ({ tone, scheme }, context) => {
    const { page, refused } = await openPage(context, scheme);
    await using listener = await createLoopback({ lingerMs: 60_000 });
    const script =
      tone === 'waiting' ? "document.getElementById('message').textContent = 'The script ran.';" : undefined;
    const rendered = renderPage({ title: 'A title', heading: 'A heading', message: 'A message.', tone, script });
    const waiting = listener.wait(() => ({ page: rendered, done: true, value: 'value' }));
    const response = await page.goto(listener.url);
    expect(await waiting).toBe('value');
    expect(response?.headers()['content-security-policy']).not.toContain('unsafe');
    expect(refused).toEqual([]);

    // The style is there, in the colours that were asked for.
    const background = await page.evaluate('getComputedStyle(document.body).backgroundColor');
    expect(background).toBe(scheme === 'dark' ? 'rgb(15, 17, 21)' : 'rgb(244, 245, 247)');
    expect(await page.getByRole('status').textContent()).toBe(tone === 'waiting' ? 'The script ran.' : 'A message.');
    expect(await seriousFindings(page)).toEqual([]);

    // What somebody smuggles in does not run.
    await page.evaluate(`
      const script = document.createElement('script');
      script.textContent = "document.title = 'smuggled'";
      document.body.append(script);
    `);
    expect(await page.title()).toBe('A title');
    expect(refused).not.toEqual([]);
  },
);

test('both pages of a login have nothing serious against them', async (context) => {
  const { page, refused } = await openPage(context);
  for (const outcome of ['code', 'error']) {
    const login = runOAuthFlow({
      provider: 'github',
      getAuthorizeUrl: async ({ redirectUri, state }) =>
        `${redirectUri}?${new URLSearchParams({ [outcome]: 'x', state })}`,
      exchangeCode: async () => ({ accessToken: 'token' }),
      openBrowser: async (url) => void (await page.goto(url)),
    });
    if (outcome === 'code') expect(await login).toEqual({ accessToken: 'token' });
    else await expect(login).rejects.toMatchObject({ code: 'SP_LOGIN_DENIED' });
    await page.getByRole('heading', { level: 1 }).waitFor();
    expect(await seriousFindings(page)).toEqual([]);
  }
  expect(refused).toEqual([]);
});

test('a person allows a login on a computer without a browser, in Chromium', async (context) => {
  const { page, refused } = await openPage(context, 'dark');
  cloud = await startLocalCloud({ dataDir: join(folder, 'cloud'), port: 0, machines: 'process' });
  const { auth } = createCloudApiClient({ environment: cloud.url, userAgent: 'pages-test' });
  const pending = new Set(['authorization_pending', 'slow_down', 'access_denied', 'expired_token'] as const);
  const tokens = await runDeviceFlow({
    start: ({ signal }) => auth.createDeviceLogin({ scope: 'offline_access' }, { signal }),
    poll: async ({ deviceCode, signal }) => {
      try {
        const grantType = 'urn:ietf:params:oauth:grant-type:device_code';
        return await auth.createToken({ grantType, deviceCode }, { signal });
      } catch (error) {
        for (const code of pending) if (isCloudApiError(error) && error.serverCode === code) return code;
        throw error;
      }
    },
    // By the time of the first poll the person is done.
    wait: async () => undefined,
    onCode: async ({ verificationUri, userCode }) => {
      await page.goto(verificationUri);
      expect(await seriousFindings(page)).toEqual([]);
      await page.getByLabel('Code').fill('aeio');
      await page.getByRole('button', { name: 'Continue with GitHub' }).click();
      await page.getByRole('alert').waitFor();
      expect(await seriousFindings(page)).toEqual([]);
      await page.getByLabel('Code').fill(userCode.toLowerCase());
      await page.getByRole('button', { name: 'Continue with GitHub' }).click();
      await page.getByLabel('E-mail').fill('ada@example.com');
      await page.getByRole('button', { name: 'Continue' }).click();
      await page.getByText(userCode).waitFor();
      await page.getByText('pages-test').waitFor();
      expect(await seriousFindings(page)).toEqual([]);
      await page.getByRole('button', { name: 'Allow' }).click();
      await page.getByRole('heading', { name: 'The device is connected' }).waitFor();
      expect(await seriousFindings(page)).toEqual([]);
    },
  });
  expect(tokens.expiresIn).toBe(3600);
  const api = createCloudApiClient({ environment: cloud.url, token: tokens.accessToken });
  expect((await api.user.get()).user.email).toBe('ada@example.com');
  expect((await api.auth.listSessions()).map(({ client, current }) => [client, current])).toEqual([
    ['pages-test', true],
  ]);
  await api.auth.revokeToken({ token: tokens.refreshToken ?? '' });
  await expect(api.user.get()).rejects.toMatchObject({ code: 'SP_API_UNAUTHORIZED' });
  expect(refused).toEqual([]);
});
