import { BaseCommand } from '../../../base-command.ts';
import { confirmYes } from '../../../confirm.ts';
import { profileFlag, tenantFlag, yesFlag } from '../../../flags.ts';
import { findDomain } from '../../../tenant/domain.ts';
import { findTarget } from '../../../tenant/target.ts';

/** What `cloud domain remove` answers. */
export interface DomainRemoveResult {
  readonly tenantId: string;
  readonly tenantName: string;
  /** `false`: there was none. */
  readonly removed: boolean;
  readonly domain?: string | undefined;
}

export default class DomainRemove extends BaseCommand {
  static override summary = 'Take the custom domain from a tenant.';
  static override description = 'The tenant stays at its own address. Without a terminal, --yes is needed.';
  static override examples = ['<%= config.bin %> <%= command.id %> --yes'];
  static override flags = { tenant: tenantFlag, profile: profileFlag, yes: yesFlag };

  async run(): Promise<DomainRemoveResult> {
    const { flags } = await this.parse(DomainRemove);
    const { tenant, profile, yes } = flags;
    const { signal } = this.context;
    const bin = `${this.config.bin} cloud domain remove`;
    const target = await findTarget(this.context, { tenant, profile, command: `${bin} --yes` });
    const { id: tenantId, name: tenantName, label } = target;
    const found = await findDomain(target, signal);
    if (found === undefined) {
      this.log(`${tenantName} has no custom domain`);
      return { tenantId, tenantName, removed: false };
    }
    const { domain } = found;
    const question = `Take ${domain} from ${label}?`;
    await confirmYes(this.context, { question, yes, command: `${bin} --tenant ${tenantId}` });
    await target.api.domains.delete(tenantId, { signal });
    this.log(`${domain} does not lead to ${tenantName} any more`);
    return { tenantId, tenantName, removed: true, domain };
  }
}
