import {
  allowInsecureRequests,
  authorizationCodeGrant,
  buildAuthorizationUrl,
  ClientSecretPost,
  Configuration,
  customFetch,
} from 'openid-client';
import * as z from 'zod/mini';
import type { Identity } from '../ports/identity.ts';
import type { Vault } from '../ports/vault.ts';
import { askProvider } from './ask-provider.ts';
import { returnedUrl } from './callback-url.ts';
import { IdentityError } from './identity-error.ts';
import { IdentityRefused } from './identity-refused.ts';
import { loginSecrets } from './login-secrets.ts';
import { readPerson } from './verified-person.ts';

/** How people log in with GitHub. */
export interface GitHubIdentityOptions {
  readonly clientId: string;
  /** Secret. */
  readonly clientSecret: string;
  /** Makes each login's secrets. */
  readonly vault: Pick<Vault, 'derive'>;
  /** Where people log in. @defaultValue 'https://github.com' */
  readonly webUrl?: string | undefined;
  /** @defaultValue 'https://api.github.com' */
  readonly apiUrl?: string | undefined;
  /** How long one answer may take, in milliseconds. @defaultValue 10000 */
  readonly timeoutMs?: number | undefined;
}

const name = 'GitHub';

const userSchema = z.object({ id: z.int(), login: z.string(), name: z.nullish(z.string()) });
const emailsSchema = z.array(z.object({ email: z.string(), primary: z.boolean(), verified: z.boolean() }));

/**
 * Login with GitHub, which is OAuth without OpenID Connect: who somebody is says its API. Found by the account's number,
 * since logins and addresses change hands.
 */
export function createGitHubIdentity(options: GitHubIdentityOptions): Identity {
  const { clientId, clientSecret, vault, timeoutMs = 10_000 } = options;
  const { webUrl = 'https://github.com', apiUrl = 'https://api.github.com' } = options;
  const configuration = new Configuration(
    {
      issuer: `${webUrl}/login/oauth`,
      authorization_endpoint: `${webUrl}/login/oauth/authorize`,
      token_endpoint: `${webUrl}/login/oauth/access_token`,
    },
    clientId,
    clientSecret,
    ClientSecretPost(clientSecret),
  );
  configuration.timeout = timeoutMs / 1000;
  configuration[customFetch] = async (url, init) => await withErrorStatus(await fetch(url, init as RequestInit));
  if (webUrl.startsWith('http:')) allowInsecureRequests(configuration);

  async function get<T>(
    path: string,
    request: { readonly token: string; readonly schema: z.ZodMiniType<T> },
  ): Promise<T> {
    const response = await fetch(`${apiUrl}${path}`, {
      headers: {
        accept: 'application/vnd.github+json',
        authorization: `Bearer ${request.token}`,
        // Requests without a name are refused.
        'user-agent': 'systemprompt-management-api',
        'x-github-api-version': '2022-11-28',
      },
      redirect: 'error',
      signal: AbortSignal.timeout(timeoutMs),
    });
    if (!response.ok) {
      await response.body?.cancel();
      throw new IdentityError('SP_IDENTITY_UNAVAILABLE', {
        provider: name,
        reason: `its API answered ${response.status}`,
      });
    }
    const parsed = request.schema.safeParse(await response.json().catch(() => undefined));
    if (parsed.success) return parsed.data;
    throw new IdentityError('SP_IDENTITY_RESPONSE', { provider: name, reason: `${path} is not what was expected` });
  }

  return {
    providers: [{ provider: 'github', origin: new URL(webUrl).origin }],

    authorizeUrl: ({ state, redirectUri }) =>
      askProvider(name, async () => {
        const { codeChallenge } = await loginSecrets(vault, state);
        const url = buildAuthorizationUrl(configuration, {
          redirect_uri: redirectUri,
          scope: 'read:user user:email',
          state,
          code_challenge: codeChallenge,
          code_challenge_method: 'S256',
        });
        return url.href;
      }),

    redeem: ({ answer, state, redirectUri, signal }) =>
      askProvider(
        name,
        async () => {
          const { codeVerifier } = await loginSecrets(vault, state);
          const returned = returnedUrl(redirectUri, answer);
          // Not promised by GitHub's documentation; each provider has a callback of its own, so answers do not mix.
          returned.searchParams.delete('iss');
          const { access_token: token } = await authorizationCodeGrant(configuration, returned, {
            pkceCodeVerifier: codeVerifier,
            expectedState: state,
          });
          const [user, emails] = await Promise.all([
            get('/user', { token, schema: userSchema }),
            get('/user/emails', { token, schema: emailsSchema }),
          ]);
          const primary = emails.find((entry) => entry.primary);
          if (primary?.verified !== true) {
            throw new IdentityRefused('The primary e-mail address of this GitHub account is not verified.');
          }
          return readPerson(name, { subject: String(user.id), email: primary.email, name: user.name ?? user.login });
        },
        { signal },
      ),
  };
}

// GitHub answers 200 also when it refuses a code, which by the standard is 400.
async function withErrorStatus(response: Response): Promise<Response> {
  if (response.status !== 200) return response;
  const text = await response.text();
  const { headers } = response;
  return new Response(text, { status: isRefusal(text) ? 400 : 200, headers });
}

function isRefusal(text: string): boolean {
  try {
    const body = JSON.parse(text) as unknown;
    return typeof body === 'object' && body !== null && 'error' in body;
  } catch {
    return false;
  }
}
