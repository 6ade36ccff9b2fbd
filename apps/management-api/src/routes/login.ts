import { invalidRequest } from '../http/errors.ts';
import type { Handlers } from '../http/handlers.ts';
import { redeemAuthorizationCode } from '../identity/authorization-codes.ts';
import { callbackUrl, isOAuthProvider } from '../identity/callback-url.ts';
import { createLoginRequest } from '../identity/login-requests.ts';
import { checkLoopbackRedirect } from '../identity/loopback-redirect.ts';
import type { RouteDeps } from './deps.ts';

/** The handlers of `contract.auth`: where a login begins, and where its code becomes a token. */
export function loginHandlers(deps: RouteDeps): Handlers['auth'] {
  const { store, identity, tokens, baseUrl, now } = deps;
  return {
    getAuthorizeUrl: async ({ params, query }) => {
      const { provider } = params;
      if (!isOAuthProvider(provider)) throw invalidRequest('provider: expected github or google.');
      checkLoopbackRedirect(query.redirectUri);
      const state = await createLoginRequest(
        { store, now },
        {
          provider,
          redirectUri: query.redirectUri,
          clientState: query.state,
          codeChallenge: query.codeChallenge,
        },
      );
      const redirectUri = callbackUrl(baseUrl, provider);
      return { authorizeUrl: await identity.authorizeUrl({ provider, state, redirectUri }) };
    },

    createToken: async ({ body }) => {
      const user = await redeemAuthorizationCode({ store, now }, body);
      const { token, expiresIn } = await tokens.issue(user);
      return { accessToken: token, tokenType: 'Bearer', expiresIn };
    },
  };
}
