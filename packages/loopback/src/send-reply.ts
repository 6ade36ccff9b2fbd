import type { ServerResponse } from 'node:http';
import type { LoopbackPage } from './loopback-reply.ts';
import type { RenderedPage } from './render-page.ts';

/** Sends a page, and returns when the browser has it or has gone away. */
export async function sendPage(response: ServerResponse, page: LoopbackPage, status = 200): Promise<void> {
  const { html, ...sources } = typeof page === 'string' ? { html: page } : page;
  await send(response, { status, type: 'text/html; charset=utf-8', body: html, ...sources });
}

/** Sends anything, under headers that keep callback URLs (they hold codes) out of caches, histories and referrers. */
export async function send(
  response: ServerResponse,
  reply: { status: number; type: string; body: string; allow?: string | undefined } & Sources,
): Promise<void> {
  const { status, type, body, allow } = reply;
  if (response.destroyed) return;
  await new Promise<void>((resolve) => {
    response.once('close', resolve);
    try {
      response.writeHead(status, {
        'Content-Type': type,
        'Content-Length': Buffer.byteLength(body),
        'Cache-Control': 'no-store',
        'Content-Security-Policy': contentSecurityPolicy(reply),
        'Referrer-Policy': 'no-referrer',
        'X-Content-Type-Options': 'nosniff',
        Connection: 'close',
        ...(allow === undefined ? {} : { Allow: allow }),
      });
      response.end(body);
    } catch {
      // A status or type that HTTP does not allow: the result matters more than its page.
      response.destroy();
    }
  });
}

type Sources = Pick<RenderedPage, 'nonce' | 'styleSource'>;

function contentSecurityPolicy({ nonce, styleSource = "'unsafe-inline'" }: Sources): string {
  const policy = [
    "default-src 'none'",
    `style-src ${styleSource}`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ];
  // Pages that are given as text bring their own pictures along.
  if (styleSource === "'unsafe-inline'") policy.push('img-src data:');
  // A page that may run a script may also ask this listener's own routes, and nobody else.
  if (nonce !== undefined) policy.push(`script-src 'nonce-${nonce}'`, "connect-src 'self'");
  return policy.join('; ');
}
