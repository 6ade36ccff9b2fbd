import { Flags } from '@oclif/core';
import { BaseCommand } from '../../../base-command.ts';
import { profileFlag, tenantFlag } from '../../../flags.ts';
import { readValues, secretWords } from '../../../secrets/read-values.ts';
import { findTarget } from '../../../tenant/target.ts';

/** What the commands that change secrets answer. */
export interface SecretsChangeResult {
  readonly tenantId: string;
  readonly tenantName: string;
  readonly keys: readonly string[];
}

export default class SecretsSet extends BaseCommand {
  static override summary = 'Set secrets of a tenant.';
  static override description =
    `KEY asks for its value, or takes it from stdin with --stdin; so it is in no shell history and no process list. KEY=VALUE works too. They reach the machine with its next start: cloud restart, or a deploy.`;
  static override examples = [
    '<%= config.bin %> <%= command.id %> ANTHROPIC_API_KEY',
    '<%= config.bin %> <%= command.id %> ANTHROPIC_API_KEY --stdin < key.txt',
    '<%= config.bin %> <%= command.id %> LOG_LEVEL=debug --json',
  ];
  static override strict = false;
  static override usage = '<%= command.id %> KEY[=VALUE]... [--stdin] [--tenant ID] [--json]';
  static override flags = {
    stdin: Flags.boolean({ summary: 'Take the value of the one KEY from stdin.', env: 'SYSTEMPROMPT_STDIN' }),
    tenant: tenantFlag,
    profile: profileFlag,
  };

  async run(): Promise<SecretsChangeResult> {
    const { argv, flags } = await this.parse(SecretsSet);
    const command = `${this.config.bin} cloud secrets set`;
    const words = await secretWords(this.context, argv as string[], { command, word: 'KEY' });
    const target = await findTarget(this.context, { tenant: flags.tenant, profile: flags.profile, command });
    const values = await readValues(this.context, words, { stdin: flags.stdin, command });
    const keys = Object.keys(values);
    await target.api.secrets.set(target.id, values, { signal: this.context.signal });
    this.log(`Set ${keys.join(', ')} of ${target.label}`);
    this.context.progress.note(`In effect after: ${await this.goOn(`${this.config.bin} cloud restart`)}`);
    return { tenantId: target.id, tenantName: target.name, keys };
  }
}
