import { Flags } from '@oclif/core';
import { renderTokenStatus } from '../../auth/describe-token.ts';
import { BaseCommand } from '../../base-command.ts';
import { tenantFlag } from '../../flags.ts';
import { followStatus } from '../../follow-status.ts';
import { renderFields, renderTable } from '../../output/table.ts';
import { getProjectStatus, type ProjectStatus } from '../../project-status.ts';

export default class Status extends BaseCommand {
  static override summary = 'Show this project: who is logged in, its profiles, and how its tenants are.';
  static override description =
    `Asks the API for every tenant. Without a connection, tenants are \`unknown\`; those that the API does not have for this account are \`foreign\`. --watch goes on until no tenant is on its way any more: nothing is provisioned, deployed, rotated or deleted.`;
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --tenant hello --json',
    '<%= config.bin %> <%= command.id %> --watch --json-lines',
  ];
  static override flags = {
    tenant: tenantFlag,
    watch: Flags.boolean({
      char: 'w',
      summary: 'Show each change, until nothing is under way any more.',
      env: 'SYSTEMPROMPT_WATCH',
    }),
    interval: Flags.integer({
      summary: 'Seconds between two looks of --watch.',
      default: 2,
      min: 1,
      env: 'SYSTEMPROMPT_INTERVAL',
    }),
  };

  async run(): Promise<ProjectStatus> {
    const { flags } = await this.parse(Status);
    const look = (): Promise<ProjectStatus> =>
      getProjectStatus(this.context, { tenant: flags.tenant, bin: this.config.bin });
    const status = flags.watch ? await this.watch(look, flags.interval * 1000) : await look();
    const { project, credentials, profiles, tenants } = status;
    this.log(
      renderFields({
        Project: project,
        User: credentials.userEmail || undefined,
        API: credentials.apiUrl,
        Token: renderTokenStatus(credentials.tokenStatus, credentials),
        Profiles: profiles.map(({ name }) => name).join(', ') || '–',
      }),
    );
    if (tenants.length > 0) {
      const rows = tenants.map(({ name, status: now, url, message }) => [name, now, url ?? '–', message ?? '']);
      this.log(`\n${renderTable(['TENANT', 'STATUS', 'URL', ''], rows)}`);
    }
    return status;
  }

  private async watch(look: () => Promise<ProjectStatus>, intervalMs: number): Promise<ProjectStatus> {
    const step = this.context.progress.step('watch', 'Watching');
    try {
      const onChange = ({ name, status, message }: ProjectStatus['tenants'][number]): void =>
        step.update(`${name} is ${status}${message === undefined ? '' : `: ${message}`}`);
      const status = await followStatus(this.context, { look, onChange, intervalMs });
      if (this.context.signal.aborted) step.fail();
      else step.done('Nothing is under way');
      return status;
    } catch (error) {
      step.fail();
      throw error;
    }
  }
}
