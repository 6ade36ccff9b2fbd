import type { Digest } from '@sp/oci';
import type { MachineSpec } from '../ports/machines.ts';
import type { ReleaseRow } from '../tenants/deploys.ts';
import { machineEnvironment } from '../tenants/environment.ts';
import { readSecrets } from '../tenants/secrets.ts';
import type { TenantRow } from '../tenants/tenants.ts';
import { ensureDatabase } from './provision-tenant.ts';

/** The machine of a release, with the owner's secrets as the release has frozen them. Holds secrets. */
export async function machineSpec(
  context: Parameters<typeof ensureDatabase>[0],
  request: { readonly tenant: TenantRow; readonly release: ReleaseRow },
): Promise<MachineSpec> {
  const { tenant, release } = request;
  const { appName, id: tenantId } = tenant;
  // Asked for and not remembered: the server can have another port than when the tenant was made.
  const { databaseLogin } = release;
  const { internalUrl, externalUrl } = await ensureDatabase(context, { ...tenant, databaseLogin });
  const [platformSecrets, userSecrets] = await Promise.all([
    readSecrets(context, { tenantId, kind: 'platform' }),
    readSecrets(context, { tenantId, kind: 'user', version: release.secretsVersion }),
  ]);
  return {
    appName,
    tenantId,
    releaseId: release.id,
    image: { repository: repositoryOf(release.image), digest: release.digest as Digest },
    memoryMb: tenant.memoryMb,
    volumeGb: tenant.volumeGb,
    env: machineEnvironment({
      appName,
      releaseId: release.id,
      databaseUrl: internalUrl,
      // The stored one may be of the login before.
      platformSecrets: { ...platformSecrets, EXTERNAL_DATABASE_URL: externalUrl },
      userSecrets,
    }),
  };
}

/** `host:port/repository:tag` without the host and the tag. */
function repositoryOf(image: string): string {
  return image.slice(image.indexOf('/') + 1).replace(/[:@][^/]*$/, '');
}
