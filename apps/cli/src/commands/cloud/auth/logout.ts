import { Flags } from '@oclif/core';
import { endLogin } from '../../../auth/log-out.ts';
import { BaseCommand } from '../../../base-command.ts';

/** What `cloud auth logout` answers. */
export interface LogoutResult {
  /** `false`: nobody was logged in. */
  readonly loggedOut: boolean;
  /** Whether the login has ended on the server too; `false` when that did not answer. */
  readonly revoked: boolean;
  readonly credentialsPath: string;
}

export default class Logout extends BaseCommand {
  static override summary = 'End the login of this project.';
  static override description =
    'Ends it on the server, which is told for at most five seconds, and deletes .systemprompt/credentials.json. Tenants and profiles stay.';
  static override examples = ['<%= config.bin %> <%= command.id %>', '<%= config.bin %> <%= command.id %> --json'];

  static override flags = {
    // What the predecessor took: it asked first.
    yes: Flags.boolean({ char: 'y', hidden: true }),
  };

  async run(): Promise<LogoutResult> {
    await this.parse(Logout);
    const { project, env, warn } = this.context;
    const { deleteCredentials } = await import('@sp/credentials');
    const revoked = await endLogin(this.context);
    const loggedOut = await deleteCredentials(project.localCredentials);
    if (env['SYSTEMPROMPT_API_TOKEN']) warn('SYSTEMPROMPT_API_TOKEN is set and still logs every command in');
    this.log(loggedOut ? 'Logged out' : 'Nobody was logged in');
    return { loggedOut, revoked, credentialsPath: project.localCredentials };
  }
}
