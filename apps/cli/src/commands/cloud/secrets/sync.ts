import { BaseCommand } from '../../../base-command.ts';
import { profileFlag } from '../../../flags.ts';
import { readProfileSecrets } from '../../../secrets/profile-secrets.ts';

/** What `cloud secrets sync` answers. */
export interface SecretsSyncResult {
  readonly profile: string;
  readonly tenantId: string;
  /** Members of `secrets.json` that are left out, because their value is no text. */
  readonly dropped: readonly string[];
  readonly keys: readonly string[];
}

export default class SecretsSync extends BaseCommand {
  static override summary = "Send a profile's secrets to its tenant.";
  static override description =
    `What secrets.json of the profile has is set; what only the tenant has stays. A deploy does this by itself.`;
  static override examples = ['<%= config.bin %> <%= command.id %> --profile production'];
  static override flags = { profile: profileFlag };

  async run(): Promise<SecretsSyncResult> {
    const { flags } = await this.parse(SecretsSync);
    const project = this.context.requireProject();
    const { profile, tenantId, secrets, dropped } = await readProfileSecrets(this.context, project, flags.profile);
    const keys = Object.keys(secrets);
    const api = await this.context.api();
    if (keys.length > 0) await api.secrets.set(tenantId, secrets, { signal: this.context.signal });
    else this.context.warn(`The profile ${profile} has no secrets; nothing was sent`);
    if (keys.length > 0)
      this.context.progress.note(`In effect after: ${await this.goOn(`${this.config.bin} cloud restart`)}`);
    if (keys.length > 0) this.log(`Sent ${keys.length} secrets of the profile ${profile} to ${tenantId}`);
    return { profile, tenantId, keys, dropped };
  }
}
