import { Args } from '@oclif/core';
import { BaseCommand } from '../../../base-command.ts';
import { confirmByName } from '../../../confirm.ts';
import { confirmFlag } from '../../../flags.ts';
import { findTarget } from '../../../tenant/target.ts';

/** What `cloud tenant cancel` answers. */
export interface TenantCancelResult {
  readonly tenantId: string;
  readonly tenantName: string;
  readonly cancelled: true;
}

export default class TenantCancel extends BaseCommand {
  static override summary = 'End the subscription of a tenant.';
  static override description =
    'The tenant is suspended and its data kept. It asks for the name; without a terminal: --confirm.';
  static override examples = ['<%= config.bin %> <%= command.id %> hello --confirm hello'];
  static override args = { id: Args.string({ ignoreStdin: true, name: 'ID', description: 'Id or name of a tenant.' }) };
  static override flags = { confirm: confirmFlag };

  async run(): Promise<TenantCancelResult> {
    const { args, flags } = await this.parse(TenantCancel);
    const bin = `${this.config.bin} cloud tenant cancel`;
    const { id, name, label, api } = await findTarget(this.context, { tenant: args.id, command: bin, as: '' });
    const warning = `Ending the subscription of ${label} suspends it.`;
    await confirmByName(this.context, { name, given: flags.confirm, warning, command: `${bin} ${id}` });
    await api.subscription.cancel(id, { signal: this.context.signal });
    this.log(`The subscription of ${name} has ended; its data is kept`);
    return { tenantId: id, tenantName: name, cancelled: true };
  }
}
