import { trailed } from '../audit/login-trail.ts';
import { invalidRequest } from '../http/errors.ts';
import type { Handlers } from '../http/handlers.ts';
import { redeemAuthorizationCode } from '../identity/authorization-codes.ts';
import { callbackUrl, isOAuthProvider } from '../identity/callback-url.ts';
import { clientName } from '../identity/client-name.ts';
import { createDeviceLogin, pollDeviceLogin } from '../identity/device-logins.ts';
import { createLoginRequest } from '../identity/login-requests.ts';
import { checkLoopbackRedirect } from '../identity/loopback-redirect.ts';
import { issueLoginTokens, refreshLoginTokens } from '../tokens/login-tokens.ts';
import type { RouteDeps } from './deps.ts';
import { sessionHandlers } from './sessions.ts';

/** The handlers of `contract.auth`: where a login begins, where it becomes tokens, and where it ends. */
export function loginHandlers(deps: RouteDeps): Handlers['auth'] {
  const { store, identity, baseUrl, now } = deps;
  return {
    getAuthorizeUrl: async ({ params, query, request }) => {
      const { provider } = params;
      if (!isOAuthProvider(provider)) throw invalidRequest('provider: expected github or google.');
      checkLoopbackRedirect(query.redirectUri);
      const offline = query.scope === 'offline_access';
      if (offline && query.codeChallenge === undefined) {
        throw invalidRequest(
          'scope: offline_access needs code_challenge; a refresh token is never put into an address.',
        );
      }
      const state = await createLoginRequest(
        { store, now },
        {
          provider,
          redirectUri: query.redirectUri,
          clientState: query.state,
          codeChallenge: query.codeChallenge,
          offline,
          client: clientName(request),
        },
      );
      const redirectUri = callbackUrl(baseUrl, provider);
      return { authorizeUrl: await identity.authorizeUrl({ provider, state, redirectUri }) };
    },

    createToken: async ({ body, origin }) => {
      const action = body.grantType === 'refresh_token' ? 'auth.refresh' : 'auth.login';
      return await trailed(deps, { action, origin }, async (trail) => {
        const own = { ...deps, trail };
        switch (body.grantType) {
          case 'authorization_code':
            return issueLoginTokens(own, await redeemAuthorizationCode(own, body));
          case 'refresh_token':
            return refreshLoginTokens(own, body.refreshToken);
          case 'urn:ietf:params:oauth:grant-type:device_code':
            return issueLoginTokens(own, await pollDeviceLogin({ store, now }, body.deviceCode));
        }
      });
    },

    createDeviceLogin: ({ body, request }) =>
      createDeviceLogin(
        { store, now },
        { offline: body.scope === 'offline_access', client: clientName(request), baseUrl },
      ),

    ...sessionHandlers(deps),
  };
}
