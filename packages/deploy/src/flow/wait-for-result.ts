import { type DeployResponse, isCloudApiError } from '@sp/cloud-api';
import { type FollowOptions, followRelease } from './follow-release.ts';
import { waitUntilRunning } from './wait-until-running.ts';

/** How a deploy ended well. */
export interface HealthyDeploy {
  readonly status: string;
  readonly appUrl: string | undefined;
  /** Number of the release, from a server that counts them. */
  readonly release: number | undefined;
}

/** Waits for a deploy that the server has accepted: by its release, or by the tenant's status where there is none. */
export async function waitForResult(response: DeployResponse, options: FollowOptions): Promise<HealthyDeploy> {
  const { releaseId } = response;
  if (releaseId === undefined) return { ...(await waitUntilRunning(response, options)), release: undefined };
  try {
    const { status, appUrl, release } = await followRelease(releaseId, options);
    return { status, appUrl: appUrl ?? response.appUrl, release: release.number };
  } catch (error) {
    if (!isCloudApiError(error) || error.status !== 404) throw error;
    return { ...(await waitUntilRunning(response, options)), release: undefined };
  }
}
