import { BaseCommand } from '../../base-command.ts';
import { CliError } from '../../cli-error.ts';
import { profileFlag, tenantFlag } from '../../flags.ts';
import { findTarget } from '../../tenant/target.ts';

/** What `cloud open` answers. */
export interface OpenResult {
  readonly tenantId: string;
  readonly tenantName: string;
  readonly url: string;
}

export default class Open extends BaseCommand {
  static override summary = "Open a tenant's page in the browser.";
  static override description = 'Prints its address too; with --json nothing is opened.';
  static override examples = ['<%= config.bin %> <%= command.id %>', '<%= config.bin %> <%= command.id %> --json'];
  static override flags = { tenant: tenantFlag, profile: profileFlag };

  async run(): Promise<OpenResult> {
    const { flags } = await this.parse(Open);
    const { signal, warn } = this.context;
    const { id, name, api } = await findTarget(this.context, { ...flags, command: `${this.config.bin} cloud open` });
    const { appUrl: url, status } = await api.tenants.getStatus(id, { signal });
    if (url === undefined)
      throw new CliError('SP_CLI_NO_PAGE', `${name} is ${status.replaceAll('_', ' ')} and has no page`, {
        tenantId: id,
      });
    this.log(url);
    if (!this.jsonEnabled()) {
      await this.context.openBrowser(url).catch((error: unknown) => {
        warn(`No browser could be opened: ${error instanceof Error ? error.message : 'unknown reason'}`);
      });
    }
    return { tenantId: id, tenantName: name, url };
  }
}
