import { expect, test } from 'vitest';
import { escapeHtml, type PageTone, renderPage } from '../src/index.ts';

const attack = `<img src=x onerror="alert('1')"> &amp; </title></h1><script>`;

test('every character with a meaning in HTML is escaped', () => {
  expect(escapeHtml(`<a b="c" d='e'>&amp;`)).toBe('&lt;a b=&quot;c&quot; d=&#39;e&#39;&gt;&amp;amp;');
  expect(escapeHtml('plain ü 日本 text')).toBe('plain ü 日本 text');
});

test.each(['title', 'heading', 'message', 'tone'] as const)('a hostile %s stays text', (field) => {
  const calm = { title: 't', heading: 'h', message: 'm', tone: 'error' as PageTone };
  const { html } = renderPage({ ...calm, [field]: attack });
  expect(html).toContain(escapeHtml(attack));
  expect(html).not.toContain('<img');
  expect(html).not.toContain('<script');
});

test('a page is whole, accessible and needs nothing from the network', () => {
  const { html, nonce } = renderPage({ title: 'Signed in', heading: 'Hello', message: 'Close me', tone: 'success' });
  expect(nonce).toBeUndefined();
  expect(html).toMatch(/^<!doctype html>\n<html lang="en">/);
  expect(html).toContain('<title>Signed in</title>');
  expect(html).toContain('<h1 id="heading">Hello</h1>');
  expect(html).toMatch(/<main>[^]*<p id="message" role="status" aria-live="polite">Close me<\/p>[^]*<\/main>/);
  expect(html).toContain('prefers-color-scheme: dark');
  expect(html).not.toMatch(/https?:|url\(|@import|src=|href=/);
});

test('the nonce is new for every page and a script cannot end its element early', () => {
  const options = { title: 't', heading: 'h', message: 'm', tone: 'waiting' as const, script: `f('</script><b>')` };
  const pages = [renderPage(options), renderPage(options)];
  expect(new Set(pages.map((page) => page.nonce)).size).toBe(2);
  expect(pages[0]?.html).toContain(`>f('<\\/script><b>')</script>`);
});
