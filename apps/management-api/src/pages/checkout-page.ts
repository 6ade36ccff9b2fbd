import { html } from 'hono/html';
import type { Page } from './page.ts';

/** One line of the order. */
export interface OrderLine {
  readonly label: string;
  readonly value: string;
}

/** The payment page of the sandbox provider. */
export function checkoutPage(options: { readonly transactionId: string; readonly order: readonly OrderLine[] }): Page {
  const { transactionId, order } = options;
  const action = `/sandbox/checkout/${transactionId}`;
  return {
    title: 'Checkout',
    sandbox: true,
    content: html`<h1>Checkout</h1>
<p class="quiet">Review your order and pay. Your tenant is set up as soon as the payment is confirmed.</p>
<dl>${order.map(({ label, value }) => html`<dt>${label}</dt><dd>${value}</dd>`)}</dl>
<form method="post" action="${action}">
<fieldset>
<legend>Test card (filled in, never charged)</legend>
<label for="card">Card number
<input id="card" inputmode="numeric" autocomplete="off" value="4242 4242 4242 4242"></label>
<div class="row">
<label for="expiry">Expiry
<input id="expiry" inputmode="numeric" autocomplete="off" value="12/34"></label>
<label for="cvc">Security code
<input id="cvc" inputmode="numeric" autocomplete="off" value="100"></label>
</div>
</fieldset>
<div class="actions">
<button class="primary" type="submit" name="action" value="pay">Pay</button>
<button type="submit" name="action" value="cancel">Cancel</button>
</div>
</form>`,
  };
}
