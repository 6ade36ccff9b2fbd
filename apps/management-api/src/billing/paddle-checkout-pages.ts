import { randomBytes } from 'node:crypto';
import { eq } from 'drizzle-orm';
import { Hono } from 'hono';
import { html, raw } from 'hono/html';
import { withQuery } from '../identity/loopback-redirect.ts';
import { messagePage } from '../pages/message-page.ts';
import { sendPage } from '../pages/page.ts';
import type { Store } from '../store/database.ts';
import { checkoutSessions } from '../store/schema.ts';

/**
 * The page on which Paddle's checkout opens: `/checkout?_ptxn=<transaction>`. After the payment the browser goes on to
 * the program that asked for it; that nobody has to believe the browser is what webhooks are for.
 */
export function paddleCheckoutPages(options: {
  readonly store: Store;
  readonly clientToken: string;
  readonly environment: string;
}): Hono {
  const { store, clientToken, environment } = options;
  const pages = new Hono();
  pages.get('/checkout', async (context) => {
    const transactionId = context.req.query('_ptxn') ?? '';
    const session = /^txn_\w{1,64}$/.test(transactionId)
      ? await store.db.query.checkoutSessions.findFirst({ where: eq(checkoutSessions.transactionId, transactionId) })
      : undefined;
    if (session === undefined) {
      const message = 'The payment does not exist. Start the checkout again from the program that brought you here.';
      return sendPage(context, messagePage({ heading: 'Unknown payment', message }), 404);
    }
    const returnUrl =
      session.redirectUri === null
        ? undefined
        : withQuery(session.redirectUri, {
            status: 'pending',
            transaction_id: transactionId,
            checkout_session_id: session.id,
          });
    const nonce = randomBytes(16).toString('base64');
    const script = checkoutScript({ clientToken, environment, returnUrl });
    const response = await sendPage(context, {
      title: 'Checkout',
      content: html`<h1>Checkout</h1>
<p class="quiet" id="state" role="status">The payment form opens in a moment.</p>
<noscript><p>Paying needs JavaScript.</p></noscript>
<script src="https://cdn.paddle.com/paddle/v2/paddle.js" nonce="${nonce}"></script>
<script nonce="${nonce}">${raw(script)}</script>`,
    });
    response.headers.set('content-security-policy', contentSecurityPolicy({ nonce, environment }));
    return response;
  });
  return pages;
}

// Paddle opens the checkout by itself when the address has `_ptxn`.
function checkoutScript(settings: {
  readonly clientToken: string;
  readonly environment: string;
  readonly returnUrl: string | undefined;
}): string {
  const { clientToken, environment, returnUrl } = settings;
  return `
const returnUrl = ${scriptValue(returnUrl ?? null)};
${environment === 'production' ? '' : "Paddle.Environment.set('sandbox');"}
Paddle.Initialize({
  token: ${scriptValue(clientToken)},
  eventCallback: (event) => {
    if (event.name !== 'checkout.completed') return;
    document.getElementById('state').textContent =
      'Payment received. Your tenant is being set up; you can close this page and return to your program.';
    if (returnUrl) location.assign(returnUrl);
  },
});`;
}

/** A value that cannot end the script around it. */
function scriptValue(value: string | null): string {
  return JSON.stringify(value).replace(
    /[<>&\u2028\u2029]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

// The sandbox has its script from the same place, and everything that this loads from places of its own.
function contentSecurityPolicy(page: { readonly nonce: string; readonly environment: string }): string {
  const { nonce, environment } = page;
  const prefix = environment === 'production' ? '' : 'sandbox-';
  return [
    "default-src 'none'",
    `script-src 'nonce-${nonce}' https://cdn.paddle.com`,
    `style-src 'unsafe-inline' https://${prefix}cdn.paddle.com`,
    'img-src https://*.paddle.com data:',
    'connect-src https://*.paddle.com',
    `frame-src https://${prefix}buy.paddle.com`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
}
