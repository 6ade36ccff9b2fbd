import type { Configuration } from '../../configuration/configuration.ts';
import { type Check, failed, ok, type Verdict, warning } from './check.ts';

/** Whether the login providers know our client: a code that there cannot be is refused, but not before the client is. */
export function identityChecks(configuration: Configuration): Check[] {
  const { identity, baseUrl, githubUrl, googleIssuer } = configuration;
  const { githubClientId = '', githubClientSecret = '', googleClientId = '', googleClientSecret = '' } = configuration;
  const github = { clientId: githubClientId, clientSecret: githubClientSecret };
  const google = { clientId: googleClientId, clientSecret: googleClientSecret };
  const callback = (provider: string): string => `${baseUrl}/api/v1/auth/oauth/${provider}/callback`;
  return [
    ...(identity.includes('github')
      ? [
          {
            name: 'login with GitHub',
            run: async (signal: AbortSignal) =>
              checkClient(`${githubUrl}/login/oauth/access_token`, {
                ...github,
                redirectUri: callback('github'),
                signal,
              }),
          },
        ]
      : []),
    ...(identity.includes('google')
      ? [
          {
            name: 'login with Google',
            run: async (signal: AbortSignal) =>
              checkClient(await findTokenEndpoint(googleIssuer, signal), {
                ...google,
                redirectUri: callback('google'),
                signal,
              }),
          },
        ]
      : []),
  ];
}

// What is said of the client itself; everything else is about the code.
const clientRefusals: ReadonlySet<string> = new Set([
  'invalid_client',
  'unauthorized_client',
  'incorrect_client_credentials',
]);
const codeRefusals: ReadonlySet<string> = new Set(['invalid_grant', 'bad_verification_code']);

async function checkClient(
  endpoint: string,
  request: {
    readonly clientId: string;
    readonly clientSecret: string;
    readonly redirectUri: string;
    readonly signal: AbortSignal;
  },
): Promise<Verdict> {
  const { clientId, clientSecret, redirectUri, signal } = request;
  const body = new URLSearchParams({
    grant_type: 'authorization_code',
    client_id: clientId,
    client_secret: clientSecret,
    redirect_uri: redirectUri,
    code: 'sp-doctor',
    code_verifier: 'sp-doctor'.repeat(5),
  });
  const response = await fetch(endpoint, { method: 'POST', body, signal, headers: { accept: 'application/json' } });
  const { error } = (await response.json().catch(() => ({}))) as { error?: unknown };
  if (typeof error === 'string' && codeRefusals.has(error)) return ok(`${new URL(endpoint).host} knows the client`);
  if (typeof error === 'string' && clientRefusals.has(error)) return failed(`the client is refused: ${error}`);
  return warning(
    `${new URL(endpoint).host} answered ${response.status}${typeof error === 'string' ? ` (${error})` : ''}`,
  );
}

async function findTokenEndpoint(issuer: string, signal: AbortSignal): Promise<string> {
  const response = await fetch(`${issuer}/.well-known/openid-configuration`, { signal });
  const { token_endpoint: endpoint } = (await response.json()) as { token_endpoint?: unknown };
  if (typeof endpoint !== 'string') throw new Error(`${issuer} names no token endpoint`);
  return endpoint;
}
