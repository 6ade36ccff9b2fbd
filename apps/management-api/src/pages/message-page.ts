import { html } from 'hono/html';
import type { Page } from './page.ts';

/** A page that only says something. */
export function messagePage(options: {
  readonly heading: string;
  readonly message: string;
  readonly sandbox?: boolean;
}): Page {
  const { heading, message, sandbox = false } = options;
  return {
    title: heading,
    sandbox,
    content: html`<h1>${heading}</h1><p class="quiet">${message}</p>`,
  };
}
