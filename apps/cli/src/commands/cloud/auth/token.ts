import { describeToken } from '../../../auth/describe-token.ts';
import { BaseCommand } from '../../../base-command.ts';
import { CliError } from '../../../cli-error.ts';

/** What `cloud auth token` answers: the one command whose job is to print a token. */
export interface TokenResult {
  readonly token: string;
  readonly expiresAt?: Date | undefined;
}

export default class Token extends BaseCommand {
  static override summary = 'Print the access token, for other programs.';
  static override description =
    'The one command that prints a secret. Whoever has the token is you: give it to no log and no argument list.';
  static override examples = [
    `curl -H @<(echo "Authorization: Bearer $(<%= config.bin %> <%= command.id %>)") https://…`,
    '<%= config.bin %> <%= command.id %> --json',
  ];

  async run(): Promise<TokenResult> {
    await this.parse(Token);
    const { apiToken: token } = (await this.context.credentials()).credentials;
    const { status, expiresAt } = await describeToken(token);
    // One of the environment cannot be renewed, and is of no use to anybody.
    if (status === 'expired') throw new CliError('SP_CLI_NOT_LOGGED_IN', 'The token has expired');
    this.log(token);
    return { token, expiresAt };
  }
}
