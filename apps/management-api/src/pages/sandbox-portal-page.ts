import { html } from 'hono/html';
import type { Page } from './page.ts';

/** One thing that a person can let happen. */
export interface PortalAction {
  readonly value: string;
  readonly label: string;
}

/** The sandbox provider's page about one subscription: what real cards and calendars do, at the press of a button. */
export function sandboxPortalPage(options: {
  readonly subscriptionId: string;
  readonly plan: string;
  readonly status: string;
  readonly actions: readonly PortalAction[];
}): Page {
  const { subscriptionId, plan, status, actions } = options;
  return {
    title: 'Subscription',
    sandbox: true,
    content: html`<h1>Subscription</h1>
<p class="quiet">Let something happen to it, and see what becomes of the tenant.</p>
<dl><dt>Plan</dt><dd>${plan}</dd><dt>Status</dt><dd>${status.replaceAll('_', ' ')}</dd></dl>
${
  actions.length === 0
    ? html`<p class="quiet">It has ended. Nothing can happen to it any more.</p>`
    : html`<form method="post" action="/sandbox/portal/${subscriptionId}">
<div class="actions stacked">
${actions.map(({ value, label }) => html`<button type="submit" name="action" value="${value}">${label}</button>`)}
</div>
</form>`
}`,
  };
}
