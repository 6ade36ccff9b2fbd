import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AxeBuilder } from '@axe-core/playwright';
import { type LocalCloud, startLocalCloud } from '@sp/management-api';
import { type Browser, chromium } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { chromiumPath, requirePart } from './support/require-part.ts';

let browser: Browser | undefined;
let folder: string;
let cloud: LocalCloud;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sp-reference-'));
  cloud = await startLocalCloud({ dataDir: join(folder, 'cloud'), port: 0, machines: 'process' });
});

afterAll(async () => {
  await browser?.close();
  await cloud.stop();
  await rm(folder, { recursive: true, force: true });
});

test.for(['light', 'dark'] as const)(
  'the API reference in %s is for everybody, and loads nothing else',
  async (colorScheme, context) => {
    requirePart('chromium', context);
    browser ??= await chromium.launch({ executablePath: chromiumPath, args: ['--no-sandbox', '--disable-gpu'] });
    for (const width of [1200, 360]) {
      const page = await (await browser.newContext({ colorScheme, viewport: { width, height: 800 } })).newPage();
      page.setDefaultTimeout(120_000);
      const refused: string[] = [];
      page.on('console', (message) => refused.push(message.text()));
      const requests: string[] = [];
      page.on('request', (request) => requests.push(request.url()));
      await page.goto(`${cloud.url}/docs`);
      // Of fifty endpoints that look alike a few, each with everything that there is: all of them take axe a minute.
      const parts = ['header', 'main > h1', 'main > p', 'nav', '[id="tenants.update"]', '[id="auth.createToken"]'];
      const { violations } = await parts.reduce((axe, part) => axe.include(part), new AxeBuilder({ page })).analyze();
      expect(violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`)).toEqual([]);
      expect(refused).toEqual([]);
      expect(requests).toEqual([`${cloud.url}/docs`]);
      // Nothing sticks out of a narrow window.
      expect(await page.evaluate('document.documentElement.scrollWidth <= window.innerWidth')).toBe(true);

      // With the keyboard from the list of endpoints to one of them.
      const link = page.getByRole('link', { name: 'POST /api/v1/tenants/{id}/deploy' });
      await link.focus();
      await page.keyboard.press('Enter');
      expect(page.url()).toBe(`${cloud.url}/docs#tenants.deploy`);
      await page.getByRole('heading', { name: 'POST /api/v1/tenants/{id}/deploy' }).isVisible();
      await page.context().close();
    }
  },
);
