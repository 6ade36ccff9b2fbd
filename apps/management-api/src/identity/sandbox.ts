import { createHash, randomBytes } from 'node:crypto';
import { type Context, Hono } from 'hono';
import { readForm } from '../http/body.ts';
import { messagePage } from '../pages/message-page.ts';
import { sendPage } from '../pages/page.ts';
import { type SandboxLogin, sandboxLoginPage } from '../pages/sandbox-login-page.ts';
import type { Identity, VerifiedPerson } from '../ports/identity.ts';
import { callbackUrl } from './callback-url.ts';
import { IdentityRefused } from './identity-refused.ts';
import { withQuery } from './loopback-redirect.ts';

const codeLifetimeMs = 60_000;
// So that a script that never redeems cannot fill the memory.
const codeLimit = 1000;

/** An identity provider that believes what it is told, with the page where it is told. */
export interface SandboxIdentity extends Identity {
  /** Routes of the provider's own page. */
  readonly pages: Hono;
}

interface IssuedCode {
  readonly person: VerifiedPerson;
  readonly login: SandboxLogin;
  readonly expiresAt: number;
}

/** Stands in for GitHub and Google. For computers and test systems only: anybody can be anybody. */
export function createSandboxIdentity(options: {
  /** The API's public address; codes go to its callback and nowhere else. */
  readonly baseUrl: string;
  /** Milliseconds since 1970. @defaultValue `Date.now` */
  readonly now?: (() => number) | undefined;
}): SandboxIdentity {
  const { baseUrl, now = Date.now } = options;
  const codes = new Map<string, IssuedCode>();

  function issue(person: VerifiedPerson, login: SandboxLogin): string {
    for (const [code, { expiresAt }] of codes) if (expiresAt <= now() || codes.size >= codeLimit) codes.delete(code);
    const code = randomBytes(32).toString('base64url');
    codes.set(code, { person, login, expiresAt: now() + codeLifetimeMs });
    return code;
  }

  const pages = new Hono();

  pages.get('/sandbox/identity', (context) => {
    const login = readLogin(new URL(context.req.url).searchParams, baseUrl);
    return login === undefined ? sendUnknownLogin(context) : sendPage(context, sandboxLoginPage({ login }));
  });

  pages.post('/sandbox/identity', async (context) => {
    const form = await readForm(context.req.raw);
    const login = readLogin(form, baseUrl);
    if (login === undefined) return sendUnknownLogin(context);
    const { redirectUri, state } = login;
    if (form.get('action') !== 'continue') {
      const description = 'The login was cancelled.';
      return context.redirect(
        withQuery(redirectUri, { error: 'access_denied', error_description: description, state }),
      );
    }
    const email = (form.get('email') ?? '').trim();
    const name = (form.get('name') ?? '')
      .replace(/\p{Cc}/gu, ' ')
      .trim()
      .slice(0, 100);
    if (email.length > 254 || !/^[^\s@\p{Cc}]+@[^\s@\p{Cc}]+\.[^\s@\p{Cc}]+$/u.test(email)) {
      const retry = { email, name, problem: 'Enter an e-mail address, such as ada@example.com.' };
      return sendPage(context, sandboxLoginPage({ login, retry }), 400);
    }
    const subject = createHash('sha256').update(email.toLowerCase()).digest('hex');
    const code = issue({ subject, email, name: name === '' ? undefined : name }, login);
    return context.redirect(withQuery(redirectUri, { code, state }));
  });

  const { origin } = new URL(baseUrl);
  return {
    pages,
    providers: [
      { provider: 'github', origin },
      { provider: 'google', origin },
    ],
    authorizeUrl: async ({ provider, state, redirectUri }) =>
      withQuery(`${baseUrl}/sandbox/identity`, { provider, state, redirect_uri: redirectUri }),
    redeem: async ({ answer, state, provider, redirectUri }) => {
      const code = answer.get('code') ?? '';
      const issued = codes.get(code);
      codes.delete(code);
      const fits =
        issued !== undefined &&
        issued.expiresAt > now() &&
        issued.login.provider === provider &&
        issued.login.state === state &&
        issued.login.redirectUri === redirectUri;
      if (answer.get('error') === 'access_denied') throw new IdentityRefused('The login was cancelled.');
      if (!fits)
        throw new IdentityRefused('The sandbox does not accept the login: it took too long, or was used already.');
      return issued.person;
    },
  };
}

function readLogin(parameters: URLSearchParams, baseUrl: string): SandboxLogin | undefined {
  const provider = parameters.get('provider');
  const state = parameters.get('state');
  const redirectUri = parameters.get('redirect_uri');
  if ((provider !== 'github' && provider !== 'google') || state === null || state === '') return undefined;
  if (redirectUri !== callbackUrl(baseUrl, provider)) return undefined;
  return { provider, state, redirectUri };
}

function sendUnknownLogin(context: Context): Response | Promise<Response> {
  const message =
    'The address of this page is incomplete. Start the login again from the program that brought you here.';
  return sendPage(context, messagePage({ heading: 'This login cannot go on', message, sandbox: true }), 400);
}
