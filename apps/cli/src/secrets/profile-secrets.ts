import type { ProjectContext } from '@sp/paths';
import type { Context } from '../context.ts';
import { pickProfile } from '../deploy/pick-profile.ts';

/** The environment variables that a deploy of the profile would set, and where they come from. */
export async function readProfileSecrets(
  context: Context,
  project: ProjectContext,
  profile: string | undefined,
): Promise<{
  readonly profile: string;
  readonly tenantId: string;
  readonly secrets: Readonly<Record<string, string>>;
}> {
  const { loadSecrets, secretsToEnvironment } = await import('@sp/tenants');
  const { name, tenantId } = await pickProfile(profile, { context, project, bin: context.bin });
  const secrets = secretsToEnvironment((await loadSecrets(project.profile(name).secrets)) ?? {});
  return { profile: name, tenantId, secrets };
}
