import type { CloudApiClient, TenantInfo, TenantSecrets } from '@sp/cloud-api';
import type { ProjectContext } from '@sp/paths';
import { CliError } from '../cli-error.ts';
import type { Context } from '../context.ts';
import { shellWord } from '../shell-words.ts';
import type { BoughtTenant } from './buy.ts';
import { deleteCheckout } from './checkout-file.ts';

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
  { tenantId, checkoutSessionId, profileName }: BoughtTenant & { readonly profileName: string },
  { context, api, project }: { context: Context; api: CloudApiClient; project: ProjectContext },
): Promise<KeptTenant> {
  const { createProfile, storedTenantFromInfo, upsertTenant, withCredentials } = await import('@sp/tenants');
  const info = await api.tenants.get(tenantId, { signal: context.signal });
  // From here on no signal: a Ctrl-C between fetching the credentials and writing them would lose them for good.
  const tenant = await context.hold(async () => {
    const secrets = await claimCredentials(api, info);
    if (secrets === undefined) {
      // There is nothing left to take up: the tenant is as any other of this person.
      deleteCheckout(project, checkoutSessionId);
      const next = [`${context.bin} cloud profile create ${shellWord(profileName)} --tenant ${tenantId}`];
      const message = `The one-time credentials of ${info.name} were fetched before`;
      throw new CliError('SP_CLI_CREDENTIALS_UNAVAILABLE', message, { tenantId, next });
    }
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

/** `undefined` when they were fetched before. */
async function claimCredentials(api: CloudApiClient, { id }: TenantInfo): Promise<TenantSecrets | undefined> {
  const { secretsUrl } = await api.tenants.getStatus(id);
  return secretsUrl === undefined ? undefined : await api.tenants.getCredentials(secretsUrl);
}
