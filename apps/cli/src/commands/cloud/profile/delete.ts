import { rm } from 'node:fs/promises';
import { Args } from '@oclif/core';
import { BaseCommand } from '../../../base-command.ts';
import { confirmYes } from '../../../confirm.ts';
import { yesFlag } from '../../../flags.ts';
import { nameProfile } from '../../../profile/find.ts';

/** What `cloud profile delete` answers. */
export interface ProfileDeleteResult {
  readonly name: string;
  readonly path: string;
  readonly deleted: true;
}

export default class ProfileDelete extends BaseCommand {
  static override summary = 'Delete a profile with its secrets.';
  static override description = 'The tenant stays as it is. Without a terminal, --yes is needed.';
  static override examples = ['<%= config.bin %> <%= command.id %> staging --yes'];
  static override args = {
    name: Args.string({ ignoreStdin: true, name: 'NAME', description: 'Name of a profile.' }),
  };
  static override flags = { yes: yesFlag };

  async run(): Promise<ProfileDeleteResult> {
    const { args, flags } = await this.parse(ProfileDelete);
    const { name, paths } = await nameProfile(this.context, args.name, 'delete');
    const question = `Delete the profile ${name} with its secrets?`;
    const command = `${this.config.bin} cloud profile delete ${name}`;
    await confirmYes(this.context, { question, yes: flags.yes, command });
    await rm(paths.dir, { recursive: true });
    this.log(`The profile ${name} is deleted`);
    return { name, path: paths.dir, deleted: true };
  }
}
