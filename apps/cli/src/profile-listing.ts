import type { ProjectContext } from '@sp/paths';
import type { Context } from './context.ts';

/** A profile in a listing. */
export interface ProfileSummary {
  readonly name: string;
  readonly displayName?: string | undefined;
  readonly target?: string | undefined;
  readonly tenantId?: string | undefined;
  /** Why the profile cannot be used; absent when it can. */
  readonly problem?: string | undefined;
}

/** The profiles of `project`. One that cannot be loaded is listed with its problem, not thrown. */
export async function listProjectProfiles(
  context: Context,
  project: ProjectContext,
): Promise<readonly ProfileSummary[]> {
  const { isTenantsError, listProfiles, loadProfile } = await import('@sp/tenants');
  const profiles = await listProfiles(project.profilesDir);
  return Promise.all(
    profiles.map(async ({ name, path }): Promise<ProfileSummary> => {
      try {
        const { displayName, target, cloud } = await loadProfile(path, { env: context.env });
        return { name, displayName, target, tenantId: cloud?.tenantId };
      } catch (error) {
        if (isTenantsError(error)) return { name, problem: error.message };
        throw error;
      }
    }),
  );
}
