import { BaseCommand } from '../../../base-command.ts';
import { renderTable } from '../../../output/table.ts';
import { listProjectProfiles, type ProfileSummary } from '../../../profile-listing.ts';

/** What `cloud profile list` answers. */
export interface ProfileListResult {
  readonly profiles: readonly ProfileSummary[];
  readonly total: number;
}

export default class ProfileList extends BaseCommand {
  static override summary = 'List the profiles of this project.';
  static override description = 'One that cannot be used is listed with what is wrong with it.';
  static override examples = ['<%= config.bin %> <%= command.id %>', '<%= config.bin %> <%= command.id %> --json'];

  async run(): Promise<ProfileListResult> {
    await this.parse(ProfileList);
    const profiles = await listProjectProfiles(this.context, this.context.requireProject());
    const rows = profiles.map(({ name, target, tenantId, problem }) => [
      name,
      target ?? '–',
      tenantId ?? '–',
      problem ?? '',
    ]);
    if (rows.length === 0) this.log('No profiles yet');
    else this.log(renderTable(['NAME', 'TARGET', 'TENANT', ''], rows));
    return { profiles, total: profiles.length };
  }
}
