import type { ProjectContext } from '@sp/paths';
import type { Context } from '../context.ts';

/** What a profile's `secrets.json` comes to. */
export interface ProfileEnvironment {
  /** Environment variables by their names. */
  readonly secrets: Readonly<Record<string, string>>;
  /** Members that are left out, because their value is no text. */
  readonly dropped: readonly string[];
}

/**
 * The environment variables that a tenant of the profile gets, with a warning of each secret that it does not get.
 *
 * @throws {TenantsError} `SP_PROFILE_SECRETS_INVALID`
 */
export async function profileEnvironment(
  context: Context,
  { project, profile }: { readonly project: ProjectContext; readonly profile: string },
): Promise<ProfileEnvironment> {
  const { loadSecrets, secretsToEnvironment } = await import('@sp/tenants');
  const path = project.profile(profile).secrets;
  const dropped: string[] = [];
  const members = await loadSecrets(path, { onDropped: (member) => dropped.push(member) });
  for (const member of dropped) {
    context.warn(`${JSON.stringify(member)} of ${path} is left out: its value is no text; put it in quotes`);
  }
  return { secrets: secretsToEnvironment(members ?? {}), dropped };
}
