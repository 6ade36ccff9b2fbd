import type { Context } from '../context.ts';
import { listProjectProfiles } from '../profile-listing.ts';
import { loadSelection, saveSelection } from './selection.ts';
import type { Target } from './target.ts';

/**
 * Takes a tenant that is no more out of the project's store and selection.
 *
 * @returns the names of its profiles, which stay: they hold what people wrote
 */
export async function forgetTenant(
  context: Context,
  { id, project }: Pick<Target, 'id' | 'project'>,
): Promise<readonly string[]> {
  const { deleteTenant } = await import('@sp/tenants');
  await deleteTenant(project.localTenants, id);
  if ((await loadSelection(project)) === id) await saveSelection(project, undefined);
  const profiles = await listProjectProfiles(context, project);
  return profiles.filter(({ tenantId }) => tenantId === id).map(({ name }) => name);
}
