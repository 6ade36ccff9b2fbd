import { Args } from '@oclif/core';
import { BaseCommand } from '../../../base-command.ts';
import { saveSelection } from '../../../tenant/selection.ts';
import { findTarget } from '../../../tenant/target.ts';

/** What `cloud tenant select` answers. */
export interface TenantSelectResult {
  readonly tenantId: string;
  readonly tenantName: string;
}

export default class TenantSelect extends BaseCommand {
  static override summary = 'Select the tenant that commands in this project are about.';
  static override description =
    'For this project on this computer, until another is selected. --tenant and --profile of a command go before it.';
  static override examples = ['<%= config.bin %> <%= command.id %> hello'];
  static override args = {
    id: Args.string({
      ignoreStdin: true,
      name: 'ID',
      description: 'Id or name of a tenant.',
      env: 'SYSTEMPROMPT_TENANT',
    }),
  };

  async run(): Promise<TenantSelectResult> {
    const { args } = await this.parse(TenantSelect);
    const project = this.context.requireProject();
    // Not the one selected before: without a name, the person picks.
    await saveSelection(project, undefined);
    const command = `${this.config.bin} cloud tenant select`;
    const { id, name, label } = await findTarget(this.context, { tenant: args.id, command, as: '' });
    await saveSelection(project, id);
    this.log(`Commands in this project are about ${label}`);
    return { tenantId: id, tenantName: name };
  }
}
