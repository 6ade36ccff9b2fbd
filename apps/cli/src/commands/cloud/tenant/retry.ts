import { Args } from '@oclif/core';
import { BaseCommand } from '../../../base-command.ts';
import { operate } from '../../../tenant/operate.ts';
import { findTarget } from '../../../tenant/target.ts';

/** What `cloud tenant retry` answers. */
export interface TenantRetryResult {
  readonly tenantId: string;
  readonly tenantName: string;
  readonly status: string;
}

/** States of a tenant that was made: there is nothing to go on with. */
const made: ReadonlySet<string> = new Set(['awaiting_deploy', 'deploying', 'running', 'rotating']);

export default class TenantRetry extends BaseCommand {
  static override summary = 'Go on with making a tenant that could not be made.';
  static override description = 'Nothing is bought again. See how it goes on: cloud status.';
  static override aliases = ['cloud:tenant:retry-provision'];
  static override examples = ['<%= config.bin %> <%= command.id %> hello'];
  static override args = { id: Args.string({ ignoreStdin: true, name: 'ID', description: 'Id or name of a tenant.' }) };

  async run(): Promise<TenantRetryResult> {
    const { args } = await this.parse(TenantRetry);
    const command = `${this.config.bin} cloud tenant retry`;
    const { id, name, label, api, info } = await findTarget(this.context, { tenant: args.id, command, as: '' });
    if (info.state !== undefined && made.has(info.state)) {
      this.log(`${name} is made already; it is ${info.state}`);
      return { tenantId: id, tenantName: name, status: info.state };
    }
    const { signal } = this.context;
    const next = [`${this.config.bin} cloud status --tenant ${id} --watch`];
    const change = { id: 'retry', title: `Going on with ${label}`, next };
    const ask = (): ReturnType<typeof api.tenants.retryProvision> => api.tenants.retryProvision(id, { signal });
    const { status } = await operate(this.context, change, ask);
    this.log(`${name} is ${status}`);
    return { tenantId: id, tenantName: name, status };
  }
}
