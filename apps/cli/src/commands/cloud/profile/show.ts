import { Args } from '@oclif/core';
import type { Profile } from '@sp/tenants';
import { BaseCommand } from '../../../base-command.ts';
import { renderFields } from '../../../output/table.ts';
import { findProfile } from '../../../profile/find.ts';

/** What `cloud profile show` answers. */
export interface ProfileShowResult extends Profile {
  /** Names of what is set in secrets.json; values are never shown. */
  readonly secretNames: readonly string[];
}

export default class ProfileShow extends BaseCommand {
  static override summary = 'Show one profile.';
  static override description =
    'Without NAME: SYSTEMPROMPT_PROFILE, or the only one there is. Of secrets only the names.';
  static override examples = ['<%= config.bin %> <%= command.id %> production --json'];
  static override args = { name: Args.string({ ignoreStdin: true, name: 'NAME', description: 'Name of a profile.' }) };

  async run(): Promise<ProfileShowResult> {
    const { args } = await this.parse(ProfileShow);
    const { loadProfile, loadSecrets } = await import('@sp/tenants');
    const { name, paths } = await findProfile(this.context, args.name, 'show');
    const profile = await loadProfile(paths.config, { env: this.context.env });
    const secretNames = Object.keys((await loadSecrets(paths.secrets)) ?? {}).toSorted();
    this.log(
      renderFields({
        Name: name,
        Title: profile.displayName,
        Target: profile.target,
        Tenant: profile.cloud?.tenantId,
        Server: `${profile.server.host}:${profile.server.port}`,
        Secrets: secretNames.join(', ') || '–',
        File: paths.config,
      }),
    );
    return { ...profile, secretNames };
  }
}
