import type { ProjectContext } from '@sp/paths';
import type { Profile } from '@sp/tenants';
import { CliError } from '../cli-error.ts';
import type { Context } from '../context.ts';
import { shellWord } from '../shell-words.ts';

/** A profile that can be deployed. */
export interface DeployableProfile {
  readonly name: string;
  readonly profile: Profile;
  readonly tenantId: string;
}

/**
 * The profile to deploy: the one named, else the only one there is, else the one that the person picks.
 *
 * @throws {CliError} `SP_CLI_PROFILE_NOT_FOUND`, `SP_CLI_PROFILE_NOT_CLOUD`, `SP_CLI_INPUT_NEEDED`
 */
export async function pickProfile(
  name: string | undefined,
  { context, project, bin }: { context: Context; project: ProjectContext; bin: string },
): Promise<DeployableProfile> {
  const { listProfiles, loadProfile } = await import('@sp/tenants');
  const available = (await listProfiles(project.profilesDir)).map((profile) => profile.name);
  const picked = name ?? (await pickName(available, { context, bin }));
  const path = project.profile(picked).config;
  if (!available.includes(picked)) {
    throw new CliError('SP_CLI_PROFILE_NOT_FOUND', `There is no profile ${picked} in ${project.profilesDir}`, {
      path,
      available,
    });
  }
  const profile = await loadProfile(path, { env: context.env });
  const tenantId = profile.cloud?.tenantId;
  if (profile.target !== 'cloud' || tenantId === undefined) {
    throw new CliError('SP_CLI_PROFILE_NOT_CLOUD', `The profile ${picked} has no tenant in the cloud`, { path });
  }
  return { name: picked, profile, tenantId };
}

async function pickName(
  available: readonly string[],
  { context, bin }: { context: Context; bin: string },
): Promise<string> {
  const [only] = available;
  if (only === undefined) {
    throw new CliError('SP_CLI_PROFILE_NOT_FOUND', 'This project has no profile yet', {
      available,
      next: [`${bin} cloud tenant create`],
    });
  }
  if (available.length === 1) return only;
  if (!context.interactive) {
    throw new CliError('SP_CLI_INPUT_NEEDED', `There are ${available.length} profiles: which one?`, {
      flags: ['--profile'],
      next: available.map((profile) => `${bin} cloud deploy --profile ${shellWord(profile)}`),
      available,
    });
  }
  const { askSelect } = await import('../prompts.ts');
  return askSelect({ message: 'Which profile?', options: available.map((value) => ({ value, label: value })) });
}
