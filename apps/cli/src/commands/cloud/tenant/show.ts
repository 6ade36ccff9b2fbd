import { Args } from '@oclif/core';
import { BaseCommand } from '../../../base-command.ts';
import { renderFields } from '../../../output/table.ts';
import { getTenantDetails, type TenantDetails } from '../../../tenant-details.ts';

export default class TenantShow extends BaseCommand {
  static override summary = 'Show one tenant.';
  static override description = 'Without ID: the only tenant there is. Passwords and tokens are never shown.';
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> hello --json',
  ];
  static override args = {
    id: Args.string({
      ignoreStdin: true,
      name: 'ID',
      description: 'Id or name of a tenant.',
      env: 'SYSTEMPROMPT_TENANT',
    }),
  };

  async run(): Promise<TenantDetails> {
    const { args } = await this.parse(TenantShow);
    const details = await getTenantDetails(this.context, { idOrName: args.id, bin: this.config.bin });
    const { id, name, tenantType, status, message, url, plan, region, hostname, database } = details;
    this.log(
      renderFields({
        Name: name,
        Id: id,
        Type: tenantType,
        Status: status,
        Message: message,
        URL: url,
        Plan: plan,
        Region: region,
        Host: hostname,
        Database: database,
      }),
    );
    return details;
  }
}
