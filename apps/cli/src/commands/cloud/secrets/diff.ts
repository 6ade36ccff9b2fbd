import type { SecretsDiff } from '@sp/cloud-api';
import { BaseCommand } from '../../../base-command.ts';
import { exitCodes } from '../../../exit-codes.ts';
import { profileFlag } from '../../../flags.ts';
import { readProfileSecrets } from '../../../secrets/profile-secrets.ts';

/** What `cloud secrets diff` answers. */
export interface SecretsDiffResult extends SecretsDiff {
  readonly profile: string;
  readonly tenantId: string;
  /** Members of `secrets.json` that are left out, because their value is no text. */
  readonly dropped: readonly string[];
  /** Whether `cloud secrets sync` would change anything. */
  readonly changes: boolean;
}

export default class SecretsDiffCommand extends BaseCommand {
  static override summary = "Compare a profile's secrets with those of its tenant.";
  static override description =
    `Names only; values are compared as digests with a key of the tenant. Exit code 9: there are differences.`;
  static override examples = ['<%= config.bin %> <%= command.id %> --profile production --json'];
  static override flags = { profile: profileFlag };

  async run(): Promise<SecretsDiffResult> {
    const { flags } = await this.parse(SecretsDiffCommand);
    const { signal } = this.context;
    const project = this.context.requireProject();
    const { profile, tenantId, secrets, dropped } = await readProfileSecrets(this.context, project, flags.profile);
    const { diffSecrets } = await import('@sp/deploy');
    const diff = await diffSecrets({ api: await this.context.api(), tenantId, secrets, signal });
    const changes = diff.added.length + diff.changed.length > 0;
    for (const name of diff.added) this.log(`+ ${name}`);
    for (const name of diff.changed) this.log(`~ ${name}`);
    for (const name of diff.remoteOnly) this.log(`  ${name} (only on the tenant)`);
    if (!changes) this.log(`The tenant has the secrets of the profile ${profile}`);
    if (changes) process.exitCode = exitCodes.changesPending;
    return { profile, tenantId, changes, dropped, ...diff };
  }
}
