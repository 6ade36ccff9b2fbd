import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { makeCommandPages } from '../build/command-pages.ts';

const folder = fileURLToPath(new URL('../../../docs/cli', import.meta.url));

test('the command reference in docs/cli is current: UPDATE_SNAPSHOT=1 makes it so', async () => {
  const pages = await makeCommandPages(fileURLToPath(new URL('..', import.meta.url)));
  if (process.env['UPDATE_SNAPSHOT'] === '1') {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    for (const [name, text] of Object.entries(pages)) writeFileSync(`${folder}/${name}`, text);
  }
  expect(readdirSync(folder).toSorted()).toEqual(Object.keys(pages).toSorted());
  for (const [name, text] of Object.entries(pages)) expect(readFileSync(`${folder}/${name}`, 'utf8'), name).toBe(text);
});

test('pages describe every flag, and no template of an example is left', async () => {
  const pages = await makeCommandPages(fileURLToPath(new URL('..', import.meta.url)));
  expect(pages['cloud.md']).toContain('## cloud deploy');
  expect(pages['cloud.md']).toContain('`SYSTEMPROMPT_BUILDER`');
  expect(pages['README.md']).toContain('[systemprompt cloud tenant](cloud-tenant.md)');
  expect(Object.values(pages).join('')).not.toContain('<%=');
});
