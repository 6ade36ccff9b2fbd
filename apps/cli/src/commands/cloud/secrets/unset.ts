import { BaseCommand } from '../../../base-command.ts';
import { profileFlag, tenantFlag } from '../../../flags.ts';
import { refuseNames, secretWords } from '../../../secrets/read-values.ts';
import { shellWord } from '../../../shell-words.ts';
import { findTarget } from '../../../tenant/target.ts';
import type { SecretsChangeResult } from './set.ts';

export default class SecretsUnset extends BaseCommand {
  static override summary = 'Remove secrets of a tenant.';
  static override description = 'Removing one that is not there is no error. The machine has it until its next start.';
  static override examples = ['<%= config.bin %> <%= command.id %> LOG_LEVEL OLD_KEY'];
  static override strict = false;
  static override usage = '<%= command.id %> KEY... [--tenant ID] [--json]';
  static override flags = { tenant: tenantFlag, profile: profileFlag };

  async run(): Promise<SecretsChangeResult> {
    const { argv, flags } = await this.parse(SecretsUnset);
    const start = `${this.config.bin} cloud secrets unset`;
    const words = await secretWords(this.context, argv as string[], { command: start, word: 'KEY' });
    const keys = words.map((key) => key.toUpperCase());
    await refuseNames(keys);
    const command = `${start} ${keys.map((key) => shellWord(key)).join(' ')}`;
    const target = await findTarget(this.context, { ...flags, command });
    for (const key of keys) await target.api.secrets.delete(target.id, key, { signal: this.context.signal });
    this.log(`Removed ${keys.join(', ')} of ${target.label}`);
    this.context.progress.note(`In effect after: ${await this.goOn(`${this.config.bin} cloud restart`)}`);
    return { tenantId: target.id, tenantName: target.name, keys };
  }
}
