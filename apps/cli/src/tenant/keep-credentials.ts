import type { ProjectContext } from '@sp/paths';
import type { Context } from '../context.ts';
import { listProjectProfiles } from '../profile-listing.ts';
import type { Target } from './target.ts';

/** New credentials of a tenant, by their names in `secrets.json`. */
export interface NewCredentials {
  readonly database_url?: string;
  readonly external_database_url?: string;
  readonly internal_database_url?: string;
  readonly sync_token?: string;
}

/**
 * Writes new credentials wherever this project has the old ones: the tenant store and the secrets of the tenant's
 * profiles. Without a signal: the old ones are of no use any more, so a Ctrl-C must not lose the new ones.
 *
 * @returns the files that were written
 */
export async function keepCredentials(
  context: Context,
  { id, info, project }: Target,
  credentials: NewCredentials,
): Promise<readonly string[]> {
  const { loadTenants, storedTenantFromInfo, upsertTenant } = await import('@sp/tenants');
  const stored = (await loadTenants(project.localTenants))?.tenants.find((tenant) => tenant.id === id);
  await upsertTenant(project.localTenants, {
    ...(stored ?? storedTenantFromInfo(info)),
    ...(credentials.external_database_url === undefined ? {} : { databaseUrl: credentials.external_database_url }),
    ...(credentials.internal_database_url === undefined
      ? {}
      : { internalDatabaseUrl: credentials.internal_database_url }),
    ...(credentials.sync_token === undefined ? {} : { syncToken: credentials.sync_token }),
  });
  return [project.localTenants, ...(await updateProfiles(context, project, { id, credentials }))];
}

async function updateProfiles(
  context: Context,
  project: ProjectContext,
  { id, credentials }: { id: string; credentials: NewCredentials },
): Promise<readonly string[]> {
  const { editSecrets } = await import('@sp/tenants');
  const paths: string[] = [];
  for (const { name, tenantId } of await listProjectProfiles(context, project)) {
    if (tenantId !== id) continue;
    const path = project.profile(name).secrets;
    await editSecrets(path, { ...credentials });
    paths.push(path);
  }
  return paths;
}
