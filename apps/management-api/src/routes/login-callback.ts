import type { Context } from 'hono';
import { createLoginTrail, type LoginTrail, noteRefusal, originOf } from '../audit/login-trail.ts';
import type { HttpEnvironment } from '../http/app.ts';
import { loggableError } from '../http/loggable-error.ts';
import { createAuthorizationCode } from '../identity/authorization-codes.ts';
import { callbackUrl, isOAuthProvider } from '../identity/callback-url.ts';
import { isIdentityError } from '../identity/identity-error.ts';
import { isIdentityRefused } from '../identity/identity-refused.ts';
import { claimLoginRequest, type LoginRequest } from '../identity/login-requests.ts';
import { withQuery } from '../identity/loopback-redirect.ts';
import { type Person, resolvePerson } from '../identity/people.ts';
import { messagePage } from '../pages/message-page.ts';
import { sendPage } from '../pages/page.ts';
import { issueLoginTokens } from '../tokens/login-tokens.ts';
import type { RouteDeps } from './deps.ts';
import { askToConfirm } from './device.ts';

/** Where providers send people back to: from here they go on to the program that began the login. */
export async function handleLoginCallback(context: Context<HttpEnvironment>, deps: RouteDeps): Promise<Response> {
  const { store, now, baseUrl, logger } = deps;
  const provider = context.req.param('provider') ?? '';
  const answer = new URL(context.req.url).searchParams;
  const state = answer.get('state');
  if (!isOAuthProvider(provider) || state === null) return sendUnknownLogin(context);
  const attempt = { action: 'auth.login', origin: originOf(context) } as const;
  // Claimed before anything else: nobody, not even the person, gets a second try with the same state.
  const login = await claimLoginRequest({ store, now }, { state, provider });
  if (login === undefined) {
    await noteRefusal(deps, attempt, { outcome: 'refused', status: 400, code: 'unknown_login' });
    return sendUnknownLogin(context);
  }

  const refuse = async (error: string, description: string) => {
    await noteRefusal(deps, attempt, { outcome: error === 'access_denied' ? 'refused' : 'failed', code: error });
    // A device login has no program to go back to: the person is told here.
    if (login.userCode !== null) {
      return sendPage(context, messagePage({ heading: 'You are not logged in', message: description }), 400);
    }
    return context.redirect(
      withQuery(login.redirectUri, {
        error,
        error_description: description,
        state: login.clientState ?? undefined,
        iss: baseUrl,
      }),
    );
  };
  try {
    const redirectUri = callbackUrl(baseUrl, provider);
    const { signal } = context.req.raw;
    const person = await deps.identity.redeem({ provider, answer, state, redirectUri, signal });
    const user = await resolvePerson(store, { provider, person });
    if (login.userCode !== null) return await askToConfirm(context, deps, { user, userCode: login.userCode });
    return context.redirect(await successUrl({ ...deps, trail: createLoginTrail(deps, attempt) }, { login, user }));
  } catch (error) {
    if (isIdentityRefused(error)) return await refuse('access_denied', error.message);
    if (isIdentityError(error) && error.code === 'SP_IDENTITY_UNAVAILABLE') {
      logger.warn({ provider, err: loggableError(error) }, 'identity provider does not answer');
      return await refuse('temporarily_unavailable', `${error.provider} does not answer now. Try again in a while.`);
    }
    logger.error({ provider, err: loggableError(error) }, 'login failed');
    return await refuse('server_error', 'The login failed on our side.');
  }
}

async function successUrl(
  deps: RouteDeps & { readonly trail: LoginTrail },
  { login, user }: { readonly login: LoginRequest; readonly user: Person },
): Promise<string> {
  const { store, baseUrl, now } = deps;
  const { redirectUri, codeChallenge, offline } = login;
  const client = login.client ?? undefined;
  const state = login.clientState ?? undefined;
  if (codeChallenge === null) {
    // Programs of the predecessor know no code: the token itself is what they wait for.
    const { accessToken } = await issueLoginTokens(deps, { user, offline: false, client });
    return withQuery(redirectUri, { access_token: accessToken, state });
  }
  const code = await createAuthorizationCode(
    { store, now },
    { userId: user.id, redirectUri, codeChallenge, offline, client },
  );
  return withQuery(redirectUri, { code, state, iss: baseUrl });
}

async function sendUnknownLogin(context: Context): Promise<Response> {
  const message = 'It is unknown, too old, or was answered already. Start the login again from your program.';
  return sendPage(context, messagePage({ heading: 'This login cannot go on', message }), 400);
}
