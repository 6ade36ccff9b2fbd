import type { StoredTenant } from '@sp/tenants';
import { CliError } from '../cli-error.ts';
import type { Context } from '../context.ts';
import { listProjectProfiles } from '../profile-listing.ts';
import { externalUrl } from './create-local-tenant.ts';

/** Changes the name of a local tenant, or the URL of its database; the new one is tried first. */
export async function editLocalTenant(
  tenant: StoredTenant,
  options: {
    readonly context: Context;
    readonly flags: {
      readonly name?: string | undefined;
      readonly memory?: number | undefined;
      readonly 'external-db-access'?: boolean | undefined;
      readonly 'database-url-stdin': boolean;
    };
  },
): Promise<void> {
  const { context, flags } = options;
  if (flags.memory !== undefined || flags['external-db-access'] !== undefined) {
    throw new CliError('SP_CLI_USAGE', `${tenant.name} is a local tenant: it has no memory or access to set`);
  }
  const databaseUrl = flags['database-url-stdin'] ? await externalUrl(flags, context) : tenant.databaseUrl;
  const project = context.requireProject();
  const { editSecrets, upsertTenant } = await import('@sp/tenants');
  const { sharedContainerDb, ...rest } = tenant;
  // The database in the container is another one's now.
  const kept = flags['database-url-stdin'] || sharedContainerDb === undefined ? {} : { sharedContainerDb };
  await upsertTenant(project.localTenants, { ...rest, ...kept, name: flags.name ?? tenant.name, databaseUrl });
  if (!flags['database-url-stdin'] || databaseUrl === undefined) return;
  const profiles = await listProjectProfiles(context, project);
  for (const { name } of profiles.filter(({ tenantId }) => tenantId === tenant.id)) {
    await editSecrets(project.profile(name).secrets, { database_url: databaseUrl });
  }
}
