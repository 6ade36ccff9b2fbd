import { BaseCommand } from '../../../base-command.ts';

/** What `cloud auth logout` answers. */
export interface LogoutResult {
  /** `false`: nobody was logged in. */
  readonly loggedOut: boolean;
  readonly credentialsPath: string;
}

export default class Logout extends BaseCommand {
  static override summary = 'Forget the token of this project.';
  static override description = 'Deletes .systemprompt/credentials.json. Tenants and profiles stay.';
  static override examples = ['<%= config.bin %> <%= command.id %>', '<%= config.bin %> <%= command.id %> --json'];

  async run(): Promise<LogoutResult> {
    await this.parse(Logout);
    const { project, env, warn } = this.context;
    const { deleteCredentials } = await import('@sp/credentials');
    const loggedOut = await deleteCredentials(project.localCredentials);
    if (env['SYSTEMPROMPT_API_TOKEN']) warn('SYSTEMPROMPT_API_TOKEN is set and still logs every command in');
    this.log(loggedOut ? 'Logged out' : 'Nobody was logged in');
    return { loggedOut, credentialsPath: project.localCredentials };
  }
}
