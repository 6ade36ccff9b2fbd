import { BaseCommand } from '../../base-command.ts';
import { tenantFlag } from '../../flags.ts';
import { renderFields, renderTable } from '../../output/table.ts';
import { getProjectStatus, type ProjectStatus } from '../../project-status.ts';

export default class Status extends BaseCommand {
  static override summary = 'Show this project: who is logged in, its profiles, and how its tenants are.';
  static override description = 'Asks the API for every tenant. Without a connection, tenants are `unknown`.';
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --tenant hello --json',
  ];
  static override flags = { tenant: tenantFlag };

  async run(): Promise<ProjectStatus> {
    const { flags } = await this.parse(Status);
    const status = await getProjectStatus(this.context, { tenant: flags.tenant, bin: this.config.bin });
    const { project, credentials, profiles, tenants } = status;
    this.log(
      renderFields({
        Project: project,
        User: credentials.userEmail || undefined,
        API: credentials.apiUrl,
        Token: credentials.tokenStatus,
        Profiles: profiles.map(({ name }) => name).join(', ') || '–',
      }),
    );
    if (tenants.length > 0) {
      const rows = tenants.map(({ name, status, url, message }) => [name, status, url ?? '–', message ?? '']);
      this.log(`\n${renderTable(['TENANT', 'STATUS', 'URL', ''], rows)}`);
    }
    return status;
  }
}
