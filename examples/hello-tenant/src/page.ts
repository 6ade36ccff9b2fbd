import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Settings } from './settings.ts';

/** The one page of this tenant. */
export interface Page {
  /** The page's HTML with a row of the database in it, escaped. */
  render(row: string): string;
}

/** Loads the page and the release's greeting once: both belong to the release and cannot change while it runs. */
export async function loadPage(settings: Settings): Promise<Page> {
  const html = await readFirst(settings.webDirectories.map((directory) => join(directory, 'index.html')));
  const greeting = await readFirst([join(settings.servicesDirectory, 'content', 'greeting.md')]);
  return {
    render: (row) =>
      html.replace(/\{\{(greeting|row)\}\}/g, (_, name: string) => escapeHtml(name === 'row' ? row : greeting.trim())),
  };
}

async function readFirst(paths: readonly string[]): Promise<string> {
  for (const path of paths) {
    const text = await readFile(path, 'utf8').catch(() => undefined);
    if (text !== undefined) return text;
  }
  throw new Error(`${paths.join(' or ')} cannot be read`);
}

function escapeHtml(text: string): string {
  const entities: Readonly<Record<string, string>> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
    "'": '&#39;',
  };
  return text.replace(/[&<>"']/g, (character) => entities[character] ?? character);
}
