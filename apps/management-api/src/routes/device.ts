import { type Context, Hono } from 'hono';
import { createLoginTrail, originOf } from '../audit/login-trail.ts';
import type { HttpEnvironment } from '../http/app.ts';
import { readForm } from '../http/body.ts';
import { loggableError } from '../http/loggable-error.ts';
import { callbackUrl, isOAuthProvider } from '../identity/callback-url.ts';
import { clientName } from '../identity/client-name.ts';
import { countDeviceAttempt, uncountDeviceAttempt } from '../identity/device-attempts.ts';
import { readUserCode } from '../identity/device-codes.ts';
import { decideDeviceLogin, findPendingDeviceLogin } from '../identity/device-logins.ts';
import { createDeviceTicket, type DeviceTicket, readDeviceTicket } from '../identity/device-tickets.ts';
import { isIdentityError } from '../identity/identity-error.ts';
import { createLoginRequest } from '../identity/login-requests.ts';
import { findPerson, type Person } from '../identity/people.ts';
import { providerNames } from '../identity/providers.ts';
import { deviceCodePage, deviceConfirmPage } from '../pages/device-pages.ts';
import { messagePage } from '../pages/message-page.ts';
import { type Page, sendPage } from '../pages/page.ts';
import type { RouteDeps } from './deps.ts';

/**
 * The pages of RFC 8628: type the code, log in, allow or deny. A code is only looked at once the person has logged in,
 * so that every guess has somebody to count it for.
 */
export function devicePages(deps: RouteDeps): Hono<HttpEnvironment> {
  const { store, vault, identity, baseUrl, logger, now } = deps;
  const pages = new Hono<HttpEnvironment>();

  pages.get('/device', (context) =>
    sendPage(context, codePage(deps, { userCode: (context.req.query('user_code') ?? '').slice(0, 20) })),
  );

  pages.post('/device', async (context) => {
    const form = await readForm(context.req.raw);
    const typed = (form.get('user_code') ?? '').slice(0, 20);
    const user = await findUser(ticketOf(form));
    const ticket = user === undefined ? undefined : (form.get('ticket') ?? undefined);
    const userCode = readUserCode(typed);
    if (userCode === undefined) {
      const problem = 'The code has eight letters, such as BCDF-GHJK.';
      return sendPage(context, codePage(deps, { userCode: typed, problem, ticket }), 400);
    }
    if (user !== undefined) return askToConfirm(context, deps, { user, userCode });
    const provider = form.get('provider') ?? '';
    if (!isOAuthProvider(provider)) {
      return sendPage(context, codePage(deps, { userCode: typed, problem: 'Log in once more.' }), 400);
    }
    if (!identity.providers.some((known) => known.provider === provider)) {
      const problem = `Nobody can log in with ${providerNames[provider]} here: choose a way that this page offers.`;
      return sendPage(context, codePage(deps, { userCode: typed, problem }), 400);
    }
    const state = await createLoginRequest(
      { store, now },
      {
        provider,
        redirectUri: `${baseUrl}/device`,
        clientState: undefined,
        codeChallenge: undefined,
        offline: false,
        client: clientName(context.req.raw),
        userCode,
      },
    );
    const redirectUri = callbackUrl(baseUrl, provider);
    try {
      return context.redirect(await identity.authorizeUrl({ provider, state, redirectUri }), 303);
    } catch (error) {
      if (!isIdentityError(error)) throw error;
      logger.warn({ provider, err: loggableError(error) }, 'identity provider does not answer');
      const problem = `${error.provider} does not answer now. Try again in a while.`;
      return sendPage(context, codePage(deps, { userCode: typed, problem }), 503);
    }
  });

  pages.post('/device/confirm', async (context) => {
    const form = await readForm(context.req.raw);
    // Only this person's own page knows the ticket: another site cannot press the button for them.
    const ticket = ticketOf(form);
    const user = await findUser(ticket);
    const userCode = readUserCode(form.get('user_code') ?? '');
    if (ticket === undefined || user === undefined || userCode === undefined) return sendOver(context);
    // It was made for the code that the person was shown: with any other one, this would be a place to guess.
    if (ticket.userCode !== userCode) {
      await countDeviceAttempt({ store, now }, user.id);
      return sendOver(context);
    }
    const allow = form.get('action') === 'allow';
    const action = allow ? 'auth.allowDevice' : 'auth.denyDevice';
    const trail = createLoginTrail(deps, { action, origin: originOf(context) });
    const decided = await decideDeviceLogin({ store, now }, { userCode, userId: user.id, allow, trail });
    if (!decided) return sendOver(context);
    const said = allow
      ? { heading: 'The device is connected', message: 'Go back to your terminal. You can close this tab.' }
      : { heading: 'The login was denied', message: 'The program got nothing. You can close this tab.' };
    return sendPage(context, messagePage(said));
  });

  return pages;

  function ticketOf(form: URLSearchParams): DeviceTicket | undefined {
    return readDeviceTicket(vault, { ticket: form.get('ticket') ?? '', now: now() });
  }

  async function findUser(ticket: DeviceTicket | undefined): Promise<Person | undefined> {
    return ticket === undefined ? undefined : await findPerson(store, ticket.userId);
  }
}

/** Shows somebody who has logged in what waits under their code. */
export async function askToConfirm(
  context: Context<HttpEnvironment>,
  deps: RouteDeps,
  request: { readonly user: Person; readonly userCode: string },
): Promise<Response> {
  const { store, vault, now } = deps;
  const { user, userCode } = request;
  const trail = createLoginTrail(deps, { action: 'auth.allowDevice', origin: originOf(context) });
  if (!(await countDeviceAttempt({ store, now }, user.id))) {
    await trail.record({ userId: user.id, outcome: 'refused', status: 429, code: 'too_many_attempts' });
    const message = 'There were too many wrong codes. Try again in a quarter of an hour.';
    return sendPage(context, messagePage({ heading: 'Too many attempts', message }), 429);
  }
  const login = await findPendingDeviceLogin({ store, now }, userCode);
  if (login === undefined) {
    await trail.record({ userId: user.id, outcome: 'refused', status: 400, code: 'unknown_code' });
    const problem = 'This code is unknown, too old, or was answered already.';
    const ticket = createDeviceTicket(vault, { userId: user.id, now: now() });
    return sendPage(context, codePage(deps, { userCode, problem, ticket }), 400);
  }
  await uncountDeviceAttempt({ store }, user.id);
  const minutesAgo = Math.floor((now() - login.createdAt.getTime()) / 60_000);
  const client = login.client ?? undefined;
  const ticket = createDeviceTicket(vault, { userId: user.id, userCode, now: now() });
  return sendPage(context, deviceConfirmPage({ ticket, userCode, email: user.email, client, minutesAgo }));
}

function codePage(
  { identity }: Pick<RouteDeps, 'identity'>,
  options: Omit<Parameters<typeof deviceCodePage>[0], 'providers'>,
): Page {
  return deviceCodePage({ ...options, providers: identity.providers });
}

function sendOver(context: Context): Response | Promise<Response> {
  const message = 'It was answered already, or took too long. Start again from your terminal.';
  return sendPage(context, messagePage({ heading: 'This login cannot go on', message }), 400);
}
