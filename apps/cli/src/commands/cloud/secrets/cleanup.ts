import { BaseCommand } from '../../../base-command.ts';
import { profileFlag, tenantFlag } from '../../../flags.ts';
import { findTarget } from '../../../tenant/target.ts';
import type { SecretsChangeResult } from './set.ts';

/** What older versions set and no tenant reads. */
const obsolete = ['SYSTEMPROMPT_API_URL'];

export default class SecretsCleanup extends BaseCommand {
  static override summary = 'Remove secrets that older versions set and nothing reads.';
  static override description = 'Today that is SYSTEMPROMPT_API_URL. Repeating it is no error.';
  static override examples = ['<%= config.bin %> <%= command.id %>'];
  static override flags = { tenant: tenantFlag, profile: profileFlag };

  async run(): Promise<SecretsChangeResult> {
    const { flags } = await this.parse(SecretsCleanup);
    const { signal } = this.context;
    const command = `${this.config.bin} cloud secrets cleanup`;
    const { id, name, label, api } = await findTarget(this.context, { ...flags, command });
    const known = new Set((await api.secrets.list(id, { signal })).keys);
    const keys = obsolete.filter((key) => known.has(key));
    for (const key of keys) await api.secrets.delete(id, key, { signal });
    this.log(keys.length === 0 ? `There is nothing to remove from ${label}` : `Removed ${keys.join(', ')} of ${label}`);
    return { tenantId: id, tenantName: name, keys };
  }
}
