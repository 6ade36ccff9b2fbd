import { html, raw } from 'hono/html';
import { providerNames } from '../identity/providers.ts';
import type { LoginProvider } from '../ports/identity.ts';
import type { Page } from './page.ts';

/** Where a person types the code that a program on another computer shows. */
export function deviceCodePage(options: {
  readonly userCode: string;
  /** Who can be logged in with. */
  readonly providers: readonly LoginProvider[];
  readonly problem?: string | undefined;
  /** Of somebody who has logged in already. */
  readonly ticket?: string | undefined;
}): Page {
  const { userCode, providers, problem, ticket } = options;
  const buttons =
    ticket === undefined
      ? providers.map(
          ({ provider }, index) =>
            html`<button ${index === 0 ? raw('class="primary" ') : ''}type="submit" name="provider" value="${provider}">Continue with ${providerNames[provider]}</button>`,
        )
      : html`<button class="primary" type="submit">Continue</button>`;
  return {
    title: 'Connect a device',
    formAction: providers.map(({ origin }) => origin),
    content: html`<h1>Connect a device</h1>
<p class="quiet">Type the code that your terminal shows. It has eight letters.</p>
${problem === undefined ? '' : html`<p class="error" id="problem" role="alert">${problem}</p>`}
<form method="post" action="/device">
${ticket === undefined ? '' : html`<input type="hidden" name="ticket" value="${ticket}">`}
<label for="user_code">Code
<input id="user_code" name="user_code" class="code" autocomplete="off" autocapitalize="characters" spellcheck="false" required maxlength="20" placeholder="BCDF-GHJK" value="${userCode}" ${problem === undefined ? '' : html`aria-invalid="true" aria-describedby="problem"`}></label>
<div class="actions stacked">${buttons}</div>
</form>`,
  };
}

/** Asks whether a program on another computer may act for the person. */
export function deviceConfirmPage(options: {
  readonly ticket: string;
  readonly userCode: string;
  readonly email: string;
  readonly client: string | undefined;
  readonly minutesAgo: number;
}): Page {
  const { ticket, userCode, email, client, minutesAgo } = options;
  return {
    title: 'Allow this login?',
    content: html`<h1>Allow this login?</h1>
<p class="quiet">A program asks to act as you. Allow it only if you started it yourself and it shows the same code.</p>
<dl><dt>Code</dt><dd><code>${userCode}</code></dd><dt>You are</dt><dd>${email}</dd><dt>Program</dt><dd>${client ?? 'does not say'}</dd><dt>Asked</dt><dd>${minutesAgo < 1 ? 'just now' : `${minutesAgo} min ago`}</dd></dl>
<form method="post" action="/device/confirm">
<input type="hidden" name="ticket" value="${ticket}">
<input type="hidden" name="user_code" value="${userCode}">
<div class="actions">
<button class="primary" type="submit" name="action" value="allow">Allow</button>
<button type="submit" name="action" value="deny">Deny</button>
</div>
</form>`,
  };
}

/** Asks which provider to log in with. */
export function chooseProviderPage(options: {
  readonly links: readonly { readonly provider: LoginProvider['provider']; readonly href: string }[];
  readonly problem?: string | undefined;
}): Page {
  const { links, problem } = options;
  return {
    title: 'Log in',
    content: html`<h1>Log in</h1>
${problem === undefined ? '' : html`<p class="error" role="alert">${problem}</p>`}
<p class="quiet">Choose who vouches for you.</p>
${links.map(({ provider, href }) => html`<p><a href="${href}">Continue with ${providerNames[provider]}</a></p>`)}`,
  };
}
