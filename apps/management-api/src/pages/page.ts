import { createHash } from 'node:crypto';
import type { Context } from 'hono';
import { html, raw } from 'hono/html';
import type { ContentfulStatusCode } from 'hono/utils/http-status';

/** Escaped HTML. */
export type Html = ReturnType<typeof html>;

/** A whole page around its content. */
export interface Page {
  readonly title: string;
  readonly content: Html;
  /** A line above the card that says that nothing here is real. */
  readonly sandbox?: boolean;
  /** For tables and code: as broad as the window, up to a point. */
  readonly wide?: boolean;
  /** Other origins that the page's forms lead to. */
  readonly formAction?: readonly string[];
}

/** Answers with a page. */
export function sendPage(
  context: Context,
  page: Page,
  status: ContentfulStatusCode = 200,
): Response | Promise<Response> {
  context.header('content-security-policy', [contentSecurityPolicy, ...(page.formAction ?? [])].join(' '));
  context.header('referrer-policy', 'no-referrer');
  context.header('cache-control', 'no-store');
  return context.html(renderPage(page), status);
}

function renderPage({ title, content, sandbox = false, wide = false }: Page): Html {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title} · SystemPrompt Cloud</title>
<style>${raw(styles)}</style>
</head>
<body${wide ? raw(' class="wide"') : ''}>
<header><span class="mark" aria-hidden="true"></span>SystemPrompt Cloud</header>
${sandbox ? html`<p class="sandbox" role="note"><strong>Sandbox</strong> This page runs on a test system. No real account and no real money are involved.</p>` : ''}
<main>${content}</main>
</body>
</html>`;
}

const styles = `
:root { --paper: #f5f6f8; --card: #fff; --ink: #14171f; --quiet: #5a6072; --line: #d6dae3; --accent: #3346d3; --on-accent: #fff; --bad: #b3261e; --note: #fff4d6; --note-ink: #5c4300; }
@media (prefers-color-scheme: dark) {
  :root { --paper: #0e1016; --card: #171a23; --ink: #eef0f6; --quiet: #a0a7ba; --line: #2e3444; --accent: #8e9bff; --on-accent: #0e1016; --bad: #ff8a80; --note: #33290d; --note-ink: #ffdf8c; }
}
* { box-sizing: border-box; }
body { margin: 0; min-height: 100vh; padding: 2.5rem 1rem; background: var(--paper); color: var(--ink); font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
header, main, .sandbox { width: 100%; max-width: 26rem; margin: 0 auto; }
header { display: flex; align-items: center; gap: .6rem; font-weight: 650; letter-spacing: -.01em; margin-bottom: 1.25rem; }
.mark { width: 1.1rem; height: 1.1rem; border-radius: .3rem; background: var(--accent); box-shadow: inset -.35rem -.35rem 0 rgb(0 0 0 / .18); }
.sandbox { padding: .6rem .9rem; margin-bottom: 1rem; border-radius: .6rem; background: var(--note); color: var(--note-ink); font-size: .875rem; }
main { padding: 1.75rem; background: var(--card); border: 1px solid var(--line); border-radius: 1rem; box-shadow: 0 1px 2px rgb(0 0 0 / .05), 0 12px 32px rgb(0 0 0 / .06); }
h1 { margin: 0 0 .35rem; font-size: 1.375rem; line-height: 1.25; letter-spacing: -.02em; }
p { margin: 0 0 1rem; }
p:last-child { margin-bottom: 0; }
.quiet { color: var(--quiet); font-size: .9375rem; }
.error { color: var(--bad); font-size: .9375rem; }
form { display: grid; gap: 1rem; margin-top: 1.25rem; }
label { display: grid; gap: .3rem; font-size: .875rem; font-weight: 550; }
input { width: 100%; padding: .6rem .75rem; font: inherit; font-weight: 400; color: inherit; background: transparent; border: 1px solid var(--line); border-radius: .5rem; }
input[aria-invalid="true"] { border-color: var(--bad); }
.row { display: grid; grid-template-columns: 1fr 1fr; gap: 1rem; }
.actions { display: flex; gap: .75rem; flex-direction: row-reverse; }
.stacked { flex-direction: column; }
.code { font-family: ui-monospace, "SF Mono", Menlo, Consolas, monospace; letter-spacing: .12em; text-transform: uppercase; }
button { flex: 1; padding: .7rem 1rem; font: inherit; font-weight: 600; border: 1px solid var(--line); border-radius: .5rem; background: transparent; color: inherit; cursor: pointer; }
button.primary { background: var(--accent); border-color: var(--accent); color: var(--on-accent); }
input:focus-visible, button:focus-visible, a:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
dl { display: grid; grid-template-columns: auto 1fr; gap: .4rem 1.25rem; margin: 1rem 0 0; padding: 1rem 0; border-block: 1px solid var(--line); font-size: .9375rem; }
dt { color: var(--quiet); }
dd { margin: 0; text-align: right; overflow-wrap: anywhere; }
fieldset { display: grid; gap: 1rem; margin: 0; padding: 0; border: 0; }
legend { padding: 0 0 .75rem; font-weight: 600; }
code { font-family: ui-monospace, "SF Mono", Menlo, Consolas, monospace; font-size: .9em; }
a { color: var(--accent); }
.wide header, .wide main { max-width: 64rem; }
.wide h2 { margin: 2.5rem 0 .75rem; font-size: 1.125rem; }
.wide h3 { margin: 0 0 .35rem; font-size: 1rem; overflow-wrap: anywhere; }
.wide article { padding: 1.25rem 0; border-top: 1px solid var(--line); scroll-margin-top: 1rem; }
.wide article:target h3 { color: var(--accent); }
nav { columns: 22rem; padding-bottom: 1rem; }
nav h2 { margin: 0 0 .25rem; font-size: .875rem; break-after: avoid; }
nav ul { margin: 0 0 1rem; padding: 0; list-style: none; font-size: .875rem; overflow-wrap: anywhere; }
table { width: 100%; margin: .75rem 0; border-collapse: collapse; font-size: .875rem; text-align: left; }
th, td { padding: .35rem .75rem .35rem 0; border-bottom: 1px solid var(--line); vertical-align: top; overflow-wrap: anywhere; }
th { color: var(--quiet); font-weight: 550; }
pre { margin: .75rem 0 0; padding: .75rem; white-space: pre-wrap; overflow-wrap: anywhere; border: 1px solid var(--line); border-radius: .5rem; font-size: .875rem; }
`;

// No scripts and nothing from elsewhere, and of styles only those above. Chromium holds redirects that follow a form
// against `form-action` too, and ours end at a program on the person's computer.
const contentSecurityPolicy =
  `default-src 'none'; style-src 'sha256-${createHash('sha256').update(styles).digest('base64')}'; base-uri 'none'; ` +
  "frame-ancestors 'none'; form-action 'self' http://127.0.0.1:* http://localhost:*";
