import {
  type CloudApiError,
  type DeployRequest,
  type DeployResponse,
  isCloudApiError,
  type Release,
} from '@sp/cloud-api';
import { DeployError, withFacts } from '../deploy-error.ts';
import { currentRelease, findReleases, type TenantOptions } from './deploy-api.ts';

/** What {@link startRelease} starts. */
export interface StartReleaseOptions extends TenantOptions {
  readonly request: DeployRequest;
  /** Number of the newest release before; unknown from a server that does not know releases. */
  readonly newest: number | undefined;
}

/** Answers of the server that mean: it is not what you saw. */
const moved: ReadonlySet<string> = new Set(['release_moved', 'digest_mismatch']);

/**
 * Asks the server for the deploy. Asked again for what it is doing already (the answer was lost, or somebody gave up
 * before it came), it goes on with that.
 */
export async function startRelease(options: StartReleaseOptions): Promise<DeployResponse> {
  const { api, tenantId, request, signal } = options;
  try {
    return await api.tenants.deploy(tenantId, request, { signal });
  } catch (error) {
    if (!isCloudApiError(error) || signal?.aborted === true) throw error;
    if (moved.has(error.serverCode ?? '')) throw await remoteMoved(options, error);
    if (error.code !== 'SP_API_CONFLICT' && !error.retryable) throw error;
    // What went wrong first is what counts.
    const releases = (await findReleases(options).catch(() => undefined)) ?? [];
    const own = releases.find((release) => isOwn(release, options));
    if (own !== undefined) return answerOf(own);
    const open = releases.find((release) => release.status === 'deploying');
    if (open === undefined || error.code !== 'SP_API_CONFLICT') throw error;
    if (await isSame(open, options)) return answerOf(open);
    throw inProgressError(open, tenantId);
  }
}

/** Another release runs than was planned for, or another image has the tag. */
export function remoteMovedError(
  tenantId: string,
  facts: { readonly why: string; readonly release: number },
): DeployError {
  const message = `Tenant ${tenantId} is not what was planned for: ${facts.why}`;
  return new DeployError('SP_DEPLOY_REMOTE_MOVED', message, { tenantId, release: facts.release });
}

async function remoteMoved(options: StartReleaseOptions, cause: CloudApiError): Promise<DeployError> {
  const releases = (await findReleases(options).catch(() => undefined)) ?? [];
  const error = remoteMovedError(options.tenantId, { why: cause.message, release: currentRelease(releases) });
  return withFacts(error, { cause });
}

/** Somebody else is at it. */
export function inProgressError(open: Release, tenantId: string): DeployError {
  const who = open.createdBy === undefined ? '' : ` by ${open.createdBy}`;
  const message = `Another deploy of tenant ${tenantId}${who} is under way since ${open.createdAt}: release ${open.number}`;
  return new DeployError('SP_DEPLOY_IN_PROGRESS', message, {
    tenantId,
    operationId: open.id,
    release: open.number,
    startedBy: open.createdBy,
    startedAt: new Date(open.createdAt),
  });
}

/** Made after we asked, of what we asked for: ours, whose answer was lost. */
function isOwn(release: Release, { request, newest }: StartReleaseOptions): boolean {
  return newest !== undefined && release.number > newest && release.digest === request.digest;
}

/** The same image with the secrets as they are now: ours of an earlier attempt, and as good as a new one. */
async function isSame(open: Release, { api, tenantId, request, signal }: StartReleaseOptions): Promise<boolean> {
  if (open.digest !== request.digest) return false;
  const { version } = await api.releases.diffSecrets(tenantId, { secrets: {} }, { signal });
  return open.secretsVersion === version;
}

function answerOf({ id, digest }: Release): DeployResponse {
  return { status: 'deploying', releaseId: id, digest };
}
