import type { CloudApiClient, TenantInfo, TenantSecrets } from '@sp/cloud-api';
import type { ProjectContext } from '@sp/paths';
import { CliError } from '../cli-error.ts';
import type { Context } from '../context.ts';

/** A tenant that this project knows, with the profile to deploy it. */
export interface KeptTenant {
  readonly tenant: {
    readonly id: string;
    readonly name: string;
    readonly region?: string | undefined;
    readonly hostname?: string | undefined;
  };
  readonly profile: { readonly name: string; readonly path: string };
}

/**
 * Fetches the one-time credentials and stores them before anything else can fail, then makes the profile.
 *
 * @throws {CliError} `SP_CLI_CREDENTIALS_UNAVAILABLE` when the link was used before
 */
export async function keepTenant(
  { tenantId, profileName }: { tenantId: string; profileName: string },
  { context, api, project }: { context: Context; api: CloudApiClient; project: ProjectContext },
): Promise<KeptTenant> {
  const { createProfile, storedTenantFromInfo, upsertTenant, withCredentials } = await import('@sp/tenants');
  const info = await api.tenants.get(tenantId, { signal: context.signal });
  // From here on no signal: a Ctrl-C between fetching the credentials and writing them would lose them for good.
  const tenant = await context.hold(async () => {
    const secrets = await claimCredentials(api, info);
    const withSecrets = withCredentials(storedTenantFromInfo(info), secrets);
    await upsertTenant(project.localTenants, withSecrets);
    const directory = project.profile(profileName).dir;
    const useHttps = secrets.appUrl.startsWith('https:');
    const made = { directory, name: profileName, tenant: withSecrets, secrets, projectRoot: project.root, useHttps };
    await createProfile(made);
    return withSecrets;
  });
  return {
    tenant: { id: tenant.id, name: tenant.name, region: tenant.region, hostname: tenant.hostname },
    profile: { name: profileName, path: project.profile(profileName).config },
  };
}

async function claimCredentials(api: CloudApiClient, { id, name }: TenantInfo): Promise<TenantSecrets> {
  const { secretsUrl } = await api.tenants.getStatus(id);
  if (secretsUrl !== undefined) return api.tenants.getCredentials(secretsUrl);
  throw new CliError('SP_CLI_CREDENTIALS_UNAVAILABLE', `The one-time credentials of ${name} were fetched before`, {
    tenantId: id,
  });
}
