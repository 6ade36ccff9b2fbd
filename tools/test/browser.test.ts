import { AxeBuilder } from '@axe-core/playwright';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestProject, type TestProject } from './support/project.ts';
import { chromiumPath, requirePart } from './support/require-part.ts';

let project: TestProject;
let browser: Browser | undefined;
let url: string;

beforeAll(async () => {
  project = await createTestProject();
  const up = await project.run(['cloud', 'local', 'up', '--port', '0', '--machines', 'process', '--json']);
  expect(up.stderr, up.stdout).not.toContain('Error');
  url = (up.json() as { url: string }).url;
});

afterAll(async () => {
  await browser?.close();
  await project?.[Symbol.asyncDispose]();
});

const openPage = async (): Promise<Page> => {
  browser ??= await chromium.launch({
    executablePath: chromiumPath,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
  const context = await browser.newContext();
  context.setDefaultTimeout(120_000);
  // Whatever is not on this computer would be a leak of a page that promises to need nothing else.
  await context.route('**/*', (route) =>
    /^https?:\/\/(127\.0\.0\.1|localhost|[\w-]+\.localhost)[:/]/.test(route.request().url())
      ? route.continue()
      : route.abort(),
  );
  return context.newPage();
};

const seriousFindings = async (page: Page): Promise<readonly string[]> =>
  (await new AxeBuilder({ page }).analyze()).violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);

test('a person logs in and pays in Chromium', async (context) => {
  requirePart('chromium', context);
  const page = await openPage();

  const login = project.start(['cloud', 'auth', 'login', '--environment', url, '--json']);
  await page.goto(await project.openedUrl());
  expect(await seriousFindings(page)).toEqual([]);
  await page.getByLabel('E-mail').fill('ada@example.com');
  await page.getByLabel('Name').fill('Ada Lovelace');
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.waitForURL(/127\.0\.0\.1:\d+\/callback/);
  expect(await seriousFindings(page)).toEqual([]);
  const loggedIn = await login.finished;
  expect(loggedIn.exitCode, loggedIn.stderr).toBe(0);
  expect(page.url()).not.toContain('access_token');
  expect(loggedIn.stdout).toContain('ada@example.com');

  await project.run(['cloud', 'init']);
  const create = project.start([
    'cloud',
    'tenant',
    'create',
    '--name',
    'browser',
    '--plan',
    'starter',
    '--region',
    'iad',
    '--json',
  ]);
  await page.goto(await project.openedUrl());
  expect(await seriousFindings(page)).toEqual([]);
  await page.getByRole('button', { name: /^Pay/ }).click();
  await page.waitForURL(/127\.0\.0\.1:\d+\/callback/);
  expect(await seriousFindings(page)).toEqual([]);
  // The page that waits finds out by itself that the tenant exists.
  await page.getByText(/ready/i).first().waitFor();
  const created = await create.finished;
  expect(created.exitCode, created.stderr).toBe(0);
  expect(created.json()).toMatchObject({ tenant: { name: 'browser' } });
});

test('cancelling on either page ends the command with one clear line', async (context) => {
  requirePart('chromium', context);
  const page = await openPage();
  const login = project.start(['cloud', 'auth', 'login', '--environment', url, '--json']);
  await page.goto(await project.openedUrl());
  await page.getByRole('button', { name: 'Cancel' }).click();
  await page.waitForURL(/127\.0\.0\.1:\d+\/callback/);
  const refused = await login.finished;
  expect(refused.exitCode).toBe(4);
  expect(refused.json()).toMatchObject({ error: { code: 'SP_LOGIN_DENIED' } });
});
