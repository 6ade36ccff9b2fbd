import { Flags } from '@oclif/core';
import { BaseCommand } from '../../../base-command.ts';
import { resolveLoginEnvironment } from '../../../local-cloud/local-environment.ts';
import { renderFields } from '../../../output/table.ts';

/** What `cloud auth login` answers. */
export interface LoginResult {
  readonly user: { readonly id: string; readonly email: string; readonly name?: string | undefined };
  readonly apiUrl: string;
  readonly credentialsPath: string;
  readonly tenants: number;
}

export default class Login extends BaseCommand {
  static override summary = 'Log in through your browser.';
  static override description =
    `Opens the login page, waits for your answer there, and keeps the token in .systemprompt/credentials.json of the project (or of this folder).

The address of the page is also on stderr, so this works where no browser can be opened.`;
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --environment local',
    '<%= config.bin %> <%= command.id %> --provider google --json',
  ];
  static override flags = {
    environment: Flags.string({
      summary: 'production, sandbox, local (the local cloud that runs now), or the URL of an API.',
      default: 'production',
      env: 'SYSTEMPROMPT_ENVIRONMENT',
      helpValue: 'NAME|URL',
    }),
    provider: Flags.option({
      summary: 'Who vouches for you.',
      options: ['github', 'google'] as const,
      default: 'github',
      env: 'SYSTEMPROMPT_AUTH_PROVIDER',
    })(),
    'callback-port': Flags.integer({
      summary: 'Port on which this computer waits for your browser; 0 takes any free one.',
      default: 0,
      min: 0,
      max: 65_535,
      env: 'SYSTEMPROMPT_CALLBACK_PORT',
    }),
  };

  async run(): Promise<LoginResult> {
    const { flags } = await this.parse(Login);
    const { project, signal, env, progress } = this.context;
    const [{ runOAuthFlow }, { saveCredentials }, { mergeTenantInfos }] = await Promise.all([
      import('@sp/credentials/login'),
      import('@sp/credentials'),
      import('@sp/tenants'),
    ]);
    const anonymous = await this.context.apiAt(await resolveLoginEnvironment(flags.environment, env));
    const token = await runOAuthFlow({
      provider: flags.provider,
      getAuthorizeUrl: ({ provider, ...request }) => anonymous.auth.getAuthorizeUrl(provider, { ...request, signal }),
      exchangeCode: (request) =>
        anonymous.auth.createToken({ grantType: 'authorization_code', ...request }, { signal }),
      openBrowser: (url) => this.context.openBrowser(url),
      onEvent: (event) => {
        if (event.type === 'browser-failed') this.context.warn(`No browser could be opened: ${event.message}`);
        if (event.type === 'authorize-url') progress.note('Waiting for the login in your browser …');
      },
      port: flags['callback-port'],
      signal,
    });
    const apiUrl = anonymous.baseUrl;
    const me = await (await this.context.apiAt(apiUrl, token.accessToken)).user.get({ signal });
    const credentials = { apiToken: token.accessToken, apiUrl, authenticatedAt: new Date(), userEmail: me.user.email };
    await saveCredentials(project.localCredentials, credentials);
    await mergeTenantInfos(project.localTenants, me.tenants);
    this.log(`Logged in as ${me.user.email}`);
    this.log(renderFields({ API: apiUrl, Credentials: project.localCredentials, Tenants: String(me.tenants.length) }));
    return { user: me.user, apiUrl, credentialsPath: project.localCredentials, tenants: me.tenants.length };
  }
}
