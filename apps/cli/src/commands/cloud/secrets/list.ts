import { BaseCommand } from '../../../base-command.ts';
import { profileFlag, tenantFlag } from '../../../flags.ts';
import { findTarget } from '../../../tenant/target.ts';

/** What `cloud secrets list` answers: names only, values are never told. */
export interface SecretsListResult {
  readonly tenantId: string;
  readonly tenantName: string;
  readonly keys: readonly string[];
}

export default class SecretsList extends BaseCommand {
  static override summary = "List the names of a tenant's secrets.";
  static override description = 'Only names: the API never gives a value out.';
  static override examples = ['<%= config.bin %> <%= command.id %>', '<%= config.bin %> <%= command.id %> --json'];
  static override flags = { tenant: tenantFlag, profile: profileFlag };

  async run(): Promise<SecretsListResult> {
    const { flags } = await this.parse(SecretsList);
    const command = `${this.config.bin} cloud secrets list`;
    const { id, name, api } = await findTarget(this.context, { ...flags, command });
    const { keys } = await api.secrets.list(id, { signal: this.context.signal });
    this.log(keys.length === 0 ? `${name} has no secrets` : keys.join('\n'));
    return { tenantId: id, tenantName: name, keys };
  }
}
