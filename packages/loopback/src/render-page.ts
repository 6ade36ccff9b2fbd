import { randomBytes } from 'node:crypto';
import { escapeHtml } from './escape-html.ts';
import { pageStyle, pageStyleSource } from './page-style.ts';

/** The mood of a page: its colour and its sign. */
export type PageTone = 'success' | 'error' | 'waiting';

/** What a page says. All texts are plain text; they are escaped. */
export interface PageOptions {
  /** What the browser's tab is called. Escaped. */
  readonly title: string;
  /** The one large line. Escaped. */
  readonly heading: string;
  /** What it says below. Escaped. */
  readonly message: string;
  /** How it looks, and how urgently it is read out. */
  readonly tone: PageTone;
  /**
   * Trusted JavaScript to run in the page. It finds the texts as `#heading` and `#message` (a live region: changes are
   * read out) and the tone as `document.body.dataset.tone`.
   */
  readonly script?: string | undefined;
}

/** A page, and what of it the `Content-Security-Policy` header has to allow. */
export interface RenderedPage {
  /** The whole document. */
  readonly html: string;
  /** Of its script. */
  readonly nonce?: string;
  /**
   * Of its style, as the header names it.
   *
   * @defaultValue every style inside the page
   */
  readonly styleSource?: string;
}

/**
 * A whole HTML document in light and dark that needs nothing from the network.
 *
 * @example
 * renderPage({ title: 'Signed in', heading: 'You are signed in', message: 'You can close this tab.', tone: 'success' }).html;
 */
export function renderPage(options: PageOptions): RenderedPage {
  const { title, heading, message, tone, script } = options;
  const nonce = script === undefined ? undefined : randomBytes(16).toString('base64');
  const html = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escapeHtml(title)}</title>
<style>${pageStyle}</style>
</head>
<body data-tone="${escapeHtml(tone)}">
<main>
<p class="brand">SystemPrompt Cloud</p>
<div class="sign" aria-hidden="true"></div>
<h1 id="heading">${escapeHtml(heading)}</h1>
<p id="message" role="status" aria-live="polite">${escapeHtml(message)}</p>
</main>${script === undefined ? '' : `\n<script nonce="${nonce}">${inScript(script)}</script>`}
</body>
</html>
`;
  return { html, styleSource: pageStyleSource, ...(nonce === undefined ? {} : { nonce }) };
}

/** Inside a script the one thing that HTML looks for is its end, which JavaScript only has inside strings. */
function inScript(script: string): string {
  return script.replace(/<\/(?=script)/gi, '<\\/');
}
