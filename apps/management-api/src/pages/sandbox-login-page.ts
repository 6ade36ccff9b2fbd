import { html } from 'hono/html';
import type { Page } from './page.ts';

/** What the sandbox login sends along with the form. */
export interface SandboxLogin {
  readonly provider: 'github' | 'google';
  readonly state: string;
  readonly redirectUri: string;
}

/** The page of the sandbox identity provider: says who you are without asking anybody. */
export function sandboxLoginPage(options: {
  readonly login: SandboxLogin;
  /** What was typed before, and what was wrong with it. */
  readonly retry?: { readonly name: string; readonly email: string; readonly problem: string };
}): Page {
  const { login, retry } = options;
  const provider = login.provider === 'github' ? 'GitHub' : 'Google';
  return {
    title: 'Log in',
    sandbox: true,
    content: html`<h1>Log in</h1>
<p class="quiet">This page stands in for ${provider}. Choose who you want to be: the same e-mail address is always the same person.</p>
${retry === undefined ? '' : html`<p class="error" id="problem" role="alert">${retry.problem}</p>`}
<form method="post" action="/sandbox/identity">
<input type="hidden" name="provider" value="${login.provider}">
<input type="hidden" name="state" value="${login.state}">
<input type="hidden" name="redirect_uri" value="${login.redirectUri}">
<label for="name">Name
<input id="name" name="name" autocomplete="name" maxlength="100" value="${retry?.name ?? ''}"></label>
<label for="email">E-mail address
<input id="email" name="email" type="email" autocomplete="email" required maxlength="254" value="${retry?.email ?? ''}" ${retry === undefined ? '' : html`aria-invalid="true" aria-describedby="problem"`}></label>
<div class="actions">
<button class="primary" type="submit" name="action" value="continue">Continue</button>
<button type="submit" name="action" value="cancel" formnovalidate>Cancel</button>
</div>
</form>`,
  };
}
