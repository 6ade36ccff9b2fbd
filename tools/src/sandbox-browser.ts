// A browser for the sandbox pages, for where nobody sits in front of one: opens the page in argv, fills in its form,
// presses the button that goes on, and follows redirects back to the program that waits for them.
import { appendFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { findForm, formBody } from './sandbox-form.ts';

const email = process.env['SANDBOX_BROWSER_EMAIL'] ?? 'ada@example.com';
const logPath = process.env['SANDBOX_BROWSER_LOG'];

/** A page as it was shown last. */
interface Page {
  readonly url: URL;
  readonly html: string;
}

async function main(start: string | undefined): Promise<void> {
  if (start === undefined) throw new Error('Usage: sandbox-browser URL');
  let page = await visit(new URL(start), {});
  for (let forms = 0; forms < 5; forms += 1) {
    const form = findForm(page.html);
    if (form === undefined) return watch(page);
    page = await visit(new URL(form.action || page.url.href, page.url), {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded', origin: page.url.origin },
      body: formBody(form, { email, name: 'Ada Lovelace' }).toString(),
    });
  }
}

/** Stays on a page that asks how it goes on, as its script would, until it knows or nobody answers any more. */
async function watch({ url, html }: Page): Promise<void> {
  if (!html.includes("fetch('/status')")) return;
  for (let failures = 0; failures < 5; ) {
    try {
      const answer = (await (await fetch(new URL('/status', url))).json()) as { done?: boolean; heading?: string };
      failures = 0;
      if (answer.done === true) return log(`the page shows: ${answer.heading}`);
    } catch {
      failures += 1;
    }
    await setTimeout(200);
  }
}

/** One navigation: redirects are followed by hand, so that each one is in the log and a POST becomes a GET. */
async function visit(start: URL, init: RequestInit): Promise<Page> {
  let url = start;
  let request = init;
  for (let redirects = 0; redirects < 10; redirects += 1) {
    const response = await fetch(url, { ...request, redirect: 'manual' });
    // Codes and tokens travel in queries; the log gets the address alone.
    log(`${request.method ?? 'GET'} ${url.origin}${url.pathname} ${response.status}`);
    const location = response.headers.get('location');
    if (location === null || response.status < 300 || response.status > 399) {
      const html = await response.text();
      if (!response.ok)
        throw new Error(`${url.origin}${url.pathname} was answered ${response.status}: ${html.slice(0, 300)}`);
      return { url, html };
    }
    await response.body?.cancel();
    url = new URL(location, url);
    request = {};
  }
  throw new Error(`${start.origin}${start.pathname} redirects without an end`);
}

function log(text: string): void {
  if (logPath !== undefined) appendFileSync(logPath, `${text}\n`, { mode: 0o600 });
}

try {
  await main(process.argv[2]);
} catch (error) {
  log(`failed: ${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
}
