import { type CloudApiClient, isCloudApiError, type Release } from '@sp/cloud-api';

/** What a deploy needs of a client. */
export type DeployApi = Pick<CloudApiClient, 'tenants' | 'secrets' | 'releases'>;

/** Which tenant, and with what it is reached. */
export interface TenantOptions {
  /** How the cloud is talked to. */
  readonly api: DeployApi;
  /** The tenant that is meant. */
  readonly tenantId: string;
  /** Gives up (`SP_DEPLOY_ABORTED`). */
  readonly signal?: AbortSignal | undefined;
}

/** A tenant's releases, the newest first; `undefined` from a server that does not know them. */
export async function findReleases({ api, tenantId, signal }: TenantOptions): Promise<readonly Release[] | undefined> {
  return await api.releases.list(tenantId, { signal }).catch((error: unknown) => {
    if (isCloudApiError(error) && (error.status === 404 || error.status === 405)) return undefined;
    throw error;
  });
}

/** Number of the release that runs; 0: none. */
export function currentRelease(releases: readonly Release[]): number {
  return releases.find((release) => release.status === 'running')?.number ?? 0;
}
