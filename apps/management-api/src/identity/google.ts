import {
  allowInsecureRequests,
  authorizationCodeGrant,
  buildAuthorizationUrl,
  ClientSecretPost,
  type Configuration,
  discovery,
  enableNonRepudiationChecks,
} from 'openid-client';
import type { Identity } from '../ports/identity.ts';
import type { Vault } from '../ports/vault.ts';
import { askProvider } from './ask-provider.ts';
import { returnedUrl } from './callback-url.ts';
import { IdentityRefused } from './identity-refused.ts';
import { loginSecrets } from './login-secrets.ts';
import { readPerson } from './verified-person.ts';

/** How people log in with Google. */
export interface GoogleIdentityOptions {
  readonly clientId: string;
  /** Secret. */
  readonly clientSecret: string;
  /** Makes each login's secrets. */
  readonly vault: Pick<Vault, 'derive'>;
  /** @defaultValue 'https://accounts.google.com' */
  readonly issuer?: string | undefined;
  /** How long one answer may take, in milliseconds. @defaultValue 10000 */
  readonly timeoutMs?: number | undefined;
  /** How long what Google says about itself is good, in milliseconds. @defaultValue 86400000 */
  readonly discoveryAgeMs?: number | undefined;
  /** Milliseconds since 1970. @defaultValue `Date.now` */
  readonly now?: (() => number) | undefined;
}

const name = 'Google';

/** Login with Google: OpenID Connect with PKCE, `state` and `nonce`; the ID token's signature is verified too. */
export function createGoogleIdentity(options: GoogleIdentityOptions): Identity {
  const { clientId, clientSecret, vault, issuer = 'https://accounts.google.com' } = options;
  const { timeoutMs = 10_000, discoveryAgeMs = 86_400_000, now = Date.now } = options;
  let known: { readonly configuration: Promise<Configuration>; readonly readAt: number } | undefined;

  function configure(): Promise<Configuration> {
    if (known !== undefined && now() - known.readAt < discoveryAgeMs) return known.configuration;
    const server = new URL(issuer);
    const configuration = discovery(server, clientId, clientSecret, ClientSecretPost(clientSecret), {
      timeout: timeoutMs / 1000,
      execute: [enableNonRepudiationChecks, ...(server.protocol === 'http:' ? [allowInsecureRequests] : [])],
    });
    const reading = { configuration, readAt: now() };
    known = reading;
    // The next login asks again.
    configuration.catch(() => {
      if (known === reading) known = undefined;
    });
    return configuration;
  }

  return {
    // Its login page has the issuer's host, and what it says about itself is not waited for to show a button.
    providers: [{ provider: 'google', origin: new URL(issuer).origin }],

    authorizeUrl: ({ state, redirectUri }) =>
      askProvider(name, async () => {
        const { codeChallenge, nonce } = await loginSecrets(vault, state);
        const url = buildAuthorizationUrl(await configure(), {
          redirect_uri: redirectUri,
          scope: 'openid email profile',
          state,
          nonce,
          code_challenge: codeChallenge,
          code_challenge_method: 'S256',
          // Whoever has several accounts says which one.
          prompt: 'select_account',
        });
        return url.href;
      }),

    redeem: ({ answer, state, redirectUri, signal }) =>
      askProvider(
        name,
        async () => {
          const { codeVerifier, nonce } = await loginSecrets(vault, state);
          const tokens = await authorizationCodeGrant(await configure(), returnedUrl(redirectUri, answer), {
            pkceCodeVerifier: codeVerifier,
            expectedState: state,
            expectedNonce: nonce,
            idTokenExpected: true,
          });
          const claims = tokens.claims();
          if (claims?.['email_verified'] !== true) {
            throw new IdentityRefused('Google has not verified the e-mail address of this account.');
          }
          return readPerson(name, { subject: claims.sub, email: claims['email'], name: claims['name'] });
        },
        { signal },
      ),
  };
}
