import { describeToken, renderTokenStatus, type TokenDescription } from '../../../auth/describe-token.ts';
import { BaseCommand } from '../../../base-command.ts';
import { renderFields } from '../../../output/table.ts';

/** What `cloud auth whoami` answers. */
export interface WhoamiResult {
  readonly user: { readonly id: string; readonly email: string; readonly name?: string | undefined };
  readonly apiUrl: string;
  /** Where the token came from. */
  readonly source: 'environment' | 'file';
  readonly token: TokenDescription;
  /** How many tenants are yours. */
  readonly tenants: number;
}

export default class Whoami extends BaseCommand {
  static override summary = 'Show who is logged in, and for how long.';
  static override description =
    'Asks the API, so it also tells whether the token still works. Exit code 4: nobody is logged in.';
  static override examples = ['<%= config.bin %> <%= command.id %>', '<%= config.bin %> <%= command.id %> --json'];

  async run(): Promise<WhoamiResult> {
    await this.parse(Whoami);
    const { signal } = this.context;
    const { credentials, source } = await this.context.credentials();
    const me = await (await this.context.api()).user.get({ signal });
    const token = await describeToken(credentials.apiToken);
    const renewed = source === 'file' && credentials.refreshToken !== undefined;
    const until = token.expiresAt === undefined ? '' : `, until ${token.expiresAt.toISOString()}`;
    this.log(
      renderFields({
        User: me.user.name === undefined ? me.user.email : `${me.user.name} <${me.user.email}>`,
        API: credentials.apiUrl,
        Token: `${renderTokenStatus(token.status, { renewed })}${renewed ? '' : until}${source === 'environment' ? ' (from SYSTEMPROMPT_API_TOKEN)' : ''}`,
        Tenants: String(me.tenants.length),
      }),
    );
    return { user: me.user, apiUrl: credentials.apiUrl, source, token, tenants: me.tenants.length };
  }
}
