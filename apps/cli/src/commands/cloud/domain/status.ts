import type { CustomDomain } from '@sp/cloud-api';
import { BaseCommand } from '../../../base-command.ts';
import { profileFlag, tenantFlag } from '../../../flags.ts';
import { findDomain, renderDomain } from '../../../tenant/domain.ts';
import { findTarget } from '../../../tenant/target.ts';

/** What `cloud domain status` answers. */
export interface DomainStatusResult extends Partial<CustomDomain> {
  readonly tenantId: string;
  readonly tenantName: string;
  /** `false`: the tenant has no domain of its own. */
  readonly configured: boolean;
}

export default class DomainStatus extends BaseCommand {
  static override summary = 'Show the custom domain of a tenant.';
  static override description =
    'Until it is active, also the DNS record that must be made. The exit code is 0 without one too.';
  static override examples = ['<%= config.bin %> <%= command.id %>', '<%= config.bin %> <%= command.id %> --json'];
  static override flags = { tenant: tenantFlag, profile: profileFlag };

  async run(): Promise<DomainStatusResult> {
    const { flags } = await this.parse(DomainStatus);
    const command = `${this.config.bin} cloud domain status`;
    const target = await findTarget(this.context, { ...flags, command });
    const domain = await findDomain(target, this.context.signal);
    this.log(domain === undefined ? `${target.name} has no custom domain` : renderDomain(domain));
    return { tenantId: target.id, tenantName: target.name, configured: domain !== undefined, ...domain };
  }
}
