import type { OAuthProvider } from '@sp/credentials/login';
import type { Context } from '../context.ts';
import { resolveLoginEnvironment } from '../local-cloud/local-environment.ts';

/** Who has logged in, and where that is kept. */
export interface LoginResult {
  readonly user: { readonly id: string; readonly email: string; readonly name?: string | undefined };
  readonly apiUrl: string;
  readonly credentialsPath: string;
  /** How many tenants are theirs. */
  readonly tenants: number;
}

/** Logs in through the browser; keeps the token and the tenants in the project. Nothing is written before it worked. */
export async function logIn(
  context: Context,
  options: { environment: string; provider: OAuthProvider; callbackPort: number },
): Promise<LoginResult> {
  const { project, signal, env, progress } = context;
  const [{ runOAuthFlow }, { saveCredentials }, { mergeTenantInfos }] = await Promise.all([
    import('@sp/credentials/login'),
    import('@sp/credentials'),
    import('@sp/tenants'),
  ]);
  const anonymous = await context.apiAt(await resolveLoginEnvironment(options.environment, env));
  const { accessToken: apiToken } = await runOAuthFlow({
    provider: options.provider,
    getAuthorizeUrl: ({ provider, ...request }) => anonymous.auth.getAuthorizeUrl(provider, { ...request, signal }),
    exchangeCode: (request) => anonymous.auth.createToken({ grantType: 'authorization_code', ...request }, { signal }),
    openBrowser: (url) => context.openBrowser(url),
    onEvent: (event) => {
      if (event.type === 'browser-failed') context.warn(`No browser could be opened: ${event.message}`);
      if (event.type === 'authorize-url') progress.note('Waiting for the login in your browser …');
    },
    port: options.callbackPort,
    signal,
  });
  const apiUrl = anonymous.baseUrl;
  const { user, tenants } = await (await context.apiAt(apiUrl, apiToken)).user.get({ signal });
  const credentialsPath = project.localCredentials;
  await saveCredentials(credentialsPath, { apiToken, apiUrl, authenticatedAt: new Date(), userEmail: user.email });
  await mergeTenantInfos(project.localTenants, tenants);
  return { user, apiUrl, credentialsPath, tenants: tenants.length };
}
