import { Args } from '@oclif/core';
import { BaseCommand } from '../../../base-command.ts';
import { CliError } from '../../../cli-error.ts';
import { askProfileEdit } from '../../../profile/ask-edit.ts';
import { editableMembers, profileSetFlags } from '../../../profile/editable.ts';
import { findProfile } from '../../../profile/find.ts';
import { askSecret } from '../../../prompts.ts';

/** What `cloud profile edit` answers. */
export interface ProfileEditResult {
  readonly name: string;
  readonly path: string;
  /** Members of profile.yaml and secrets.json that were asked to be set; no values. */
  readonly set: readonly string[];
  /** `false`: they had these values already. */
  readonly changed: boolean;
}

export default class ProfileEdit extends BaseCommand {
  static override summary = 'Change a profile.';
  static override description =
    `Comments and everything else in the files stay. A key of - is asked for, or taken from stdin; so it is in no shell history.`;
  static override examples = [
    '<%= config.bin %> <%= command.id %> production --set-port 9000',
    '<%= config.bin %> <%= command.id %> production --set-anthropic-key - < key.txt',
  ];
  static override args = { name: Args.string({ ignoreStdin: true, name: 'NAME', description: 'Name of a profile.' }) };
  static override flags = profileSetFlags;

  async run(): Promise<ProfileEditResult> {
    const { args, flags } = await this.parse(ProfileEdit);
    const { name, paths } = await findProfile(this.context, args.name, 'edit');
    const given = editableMembers(flags);
    const none = Object.keys(given.profile).length + Object.keys(given.secrets).length === 0;
    const { profile, secrets } = none && this.context.interactive ? editableMembers(await askProfileEdit()) : given;
    const set = [...Object.keys(profile), ...Object.keys(secrets)];
    if (set.length === 0) {
      const next = [`${this.config.bin} cloud profile edit ${name} --set-port 8080`];
      throw new CliError('SP_CLI_INPUT_NEEDED', 'There is nothing to change', {
        flags: Object.keys(profileSetFlags).map((flag) => `--${flag}`),
        next,
      });
    }
    const { editProfile, editSecrets } = await import('@sp/tenants');
    const { env, signal, interactive, readStdin } = this.context;
    for (const [key, value] of Object.entries(secrets)) {
      if (value === '-') secrets[key] = interactive ? await askSecret(key) : (await readStdin()).trim();
    }
    const url = secrets['database_url'];
    if (url !== undefined) {
      const { parseDatabaseUrl } = await import('@sp/database');
      parseDatabaseUrl(url);
    }
    const inProfile = Object.keys(profile).length > 0 && (await editProfile(paths.config, profile, { env, signal }));
    const inSecrets = Object.keys(secrets).length > 0 && (await editSecrets(paths.secrets, secrets, { signal }));
    const changed = inProfile || inSecrets;
    this.log(changed ? `Changed ${set.join(', ')} of the profile ${name}` : `The profile ${name} is so already`);
    return { name, path: paths.config, set, changed };
  }
}
