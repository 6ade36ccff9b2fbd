import type { CloudApiClient } from '@sp/cloud-api';
import type { LoginToken, OAuthProvider } from '@sp/credentials/login';
import type { Context } from '../context.ts';
import { resolveLoginEnvironment } from '../local-cloud/local-environment.ts';
import { logInByDevice } from './device-login.ts';

/** Who has logged in, and where that is kept. */
export interface LoginResult {
  readonly user: { readonly id: string; readonly email: string; readonly name?: string | undefined };
  readonly apiUrl: string;
  readonly credentialsPath: string;
  /** How many tenants are theirs. */
  readonly tenants: number;
}

/** How to log in. */
export interface LogInOptions {
  readonly environment: string;
  /** `browser`: on this computer; `device`: with a code, anywhere; `stdin`: with a token that is piped in. */
  readonly transport: 'browser' | 'device' | 'stdin';
  readonly provider: OAuthProvider;
  readonly callbackPort: number;
}

/** Logs in; keeps the token and the tenants in the project. Nothing is written before it worked. */
export async function logIn(context: Context, options: LogInOptions): Promise<LoginResult> {
  const { project, signal, env } = context;
  const [{ saveCredentials }, { isTenantsError, mergeTenantInfos }] = await Promise.all([
    import('@sp/credentials'),
    import('@sp/tenants'),
  ]);
  const anonymous = await context.apiAt(await resolveLoginEnvironment(options.environment, env));
  const { accessToken: apiToken, refreshToken, expiresIn } = await getToken(context, anonymous, options);
  const authenticatedAt = new Date();
  const expiresAt = expiresIn === undefined ? undefined : new Date(authenticatedAt.getTime() + expiresIn * 1000);
  const apiUrl = anonymous.baseUrl;
  const api = await context.apiAt(apiUrl, apiToken);
  const { user, tenants } = await api.user.get({ signal });
  const credentialsPath = project.localCredentials;
  const userEmail = user.email;
  await saveCredentials(credentialsPath, { apiToken, apiUrl, authenticatedAt, userEmail, refreshToken, expiresAt });
  await mergeTenantInfos(project.localTenants, tenants).catch((error: unknown) => {
    if (!isTenantsError(error)) throw error;
    context.warn(`Logged in, but the tenants were not kept: ${error.message}`);
  });
  await reportLogin(api, user.id, signal);
  return { user, apiUrl, credentialsPath, tenants: tenants.length };
}

/** A record for the owner of the API: without it the login is as good. */
async function reportLogin(api: CloudApiClient, userId: string, signal: AbortSignal): Promise<void> {
  const soon = AbortSignal.any([signal, AbortSignal.timeout(3000)]);
  const activity = { event: 'cloud_login', timestamp: new Date().toISOString(), data: { userId } } as const;
  await api.activity.report(activity, { signal: soon }).catch(() => undefined);
}

async function getToken(context: Context, api: CloudApiClient, options: LogInOptions): Promise<LoginToken> {
  if (options.transport === 'device') return logInByDevice(context, api);
  if (options.transport === 'browser') return logInByBrowser(context, api, options);
  const { readTokenFromStream } = await import('@sp/credentials/login');
  const text = await context.readStdin();
  return { accessToken: await readTokenFromStream(chunks(text)) };
}

async function* chunks(text: string): AsyncGenerator<string> {
  yield text;
}

async function logInByBrowser(context: Context, api: CloudApiClient, options: LogInOptions): Promise<LoginToken> {
  const { signal, progress } = context;
  const { runOAuthFlow } = await import('@sp/credentials/login');
  return runOAuthFlow({
    provider: options.provider,
    getAuthorizeUrl: ({ provider, ...request }) =>
      api.auth.getAuthorizeUrl(provider, { ...request, scope: 'offline_access', signal }),
    exchangeCode: (request) => api.auth.createToken({ grantType: 'authorization_code', ...request }, { signal }),
    openBrowser: (url) => context.openBrowser(url),
    onEvent: (event) => {
      if (event.type === 'browser-failed') context.warn(`No browser could be opened: ${event.message}`);
      if (event.type === 'authorize-url') progress.note('Waiting for the login in your browser …');
    },
    port: options.callbackPort,
    signal,
  });
}
