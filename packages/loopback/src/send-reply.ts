import type { ServerResponse } from 'node:http';
import type { LoopbackPage } from './loopback-reply.ts';

/** Sends a page, and returns when the browser has it or has gone away. */
export async function sendPage(response: ServerResponse, page: LoopbackPage, status = 200): Promise<void> {
  const { html, nonce } = typeof page === 'string' ? { html: page, nonce: undefined } : page;
  await send(response, { status, type: 'text/html; charset=utf-8', body: html, nonce });
}

/** Sends anything, under headers that keep callback URLs (they hold codes) out of caches, histories and referrers. */
export async function send(
  response: ServerResponse,
  reply: { status: number; type: string; body: string; nonce?: string | undefined; allow?: string | undefined },
): Promise<void> {
  const { status, type, body, nonce, allow } = reply;
  if (response.destroyed) return;
  await new Promise<void>((resolve) => {
    response.once('close', resolve);
    try {
      response.writeHead(status, {
        'Content-Type': type,
        'Content-Length': Buffer.byteLength(body),
        'Cache-Control': 'no-store',
        'Content-Security-Policy': contentSecurityPolicy(nonce),
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

function contentSecurityPolicy(nonce: string | undefined): string {
  const policy = [
    "default-src 'none'",
    "style-src 'unsafe-inline'",
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ];
  // A page that may run a script may also ask this listener's own routes, and nobody else.
  if (nonce !== undefined) policy.push(`script-src 'nonce-${nonce}'`, "connect-src 'self'");
  return policy.join('; ');
}
