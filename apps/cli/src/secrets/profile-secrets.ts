import type { ProjectContext } from '@sp/paths';
import type { Context } from '../context.ts';
import { pickProfile } from '../deploy/pick-profile.ts';
import { profileEnvironment } from './profile-environment.ts';

/** The environment variables that a deploy of the profile would set, and where they come from. */
export async function readProfileSecrets(
  context: Context,
  project: ProjectContext,
  profile: string | undefined,
): Promise<{
  readonly profile: string;
  readonly tenantId: string;
  readonly secrets: Readonly<Record<string, string>>;
  /** Members of the file that are left out. */
  readonly dropped: readonly string[];
}> {
  const { name, tenantId } = await pickProfile(profile, { context, project, bin: context.bin });
  return { profile: name, tenantId, ...(await profileEnvironment(context, { project, profile: name })) };
}
