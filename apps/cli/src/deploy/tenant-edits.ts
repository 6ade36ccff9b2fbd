import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { CloudApiClient } from '@sp/cloud-api';
import type { ProjectContext } from '@sp/paths';
import type { SyncStatus } from '@sp/sync';
import { CliError } from '../cli-error.ts';
import type { Context } from '../context.ts';
import { shellWord } from '../shell-words.ts';
import { findSyncToken, syncFolders, syncOptions, syncStateFolder } from '../sync/find-sync.ts';

/** The tenant that a deploy is for. */
export interface DeployedTenant {
  readonly project: ProjectContext;
  readonly profile: string;
  readonly id: string;
  readonly name: string;
  readonly api: CloudApiClient;
}

/**
 * Stops a deploy that would lose what somebody changed in the running tenant. A tenant that cannot be asked stops nothing.
 *
 * @throws {CliError} `SP_CLI_TENANT_EDITED`
 */
export async function checkTenantEdits(context: Context, tenant: DeployedTenant, bin: string): Promise<void> {
  const { project, profile, id, name } = tenant;
  const folder = syncStateFolder(project, id);
  // Without what both had at the last sync or in a release, nobody can say whose change a difference is.
  if (!['base', 'shipped'].some((name) => existsSync(join(folder, name)))) return;
  const status = await compare(context, tenant);
  if (status === undefined) return;
  const paths = [...status.remoteChanges, ...status.conflicts.map(({ path }) => path)];
  const [first] = paths;
  if (first === undefined) return;
  const rest = paths.length > 1 ? ` and ${paths.length - 1} more` : '';
  throw new CliError('SP_CLI_TENANT_EDITED', `${first}${rest} changed in ${name} since the last deploy or sync`, {
    tenantId: id,
    paths,
    next: [`${bin} cloud sync status --profile ${shellWord(profile)}`],
  });
}

/** Remembers what a deploy ships, before it begins: whenever the tenant has exactly that later, nobody edited it there. */
export async function rememberShipping(
  context: Context,
  { project, profile, id, name }: Omit<DeployedTenant, 'api'>,
): Promise<void> {
  const { rememberShipped, isSyncError } = await import('@sp/sync');
  const folders = await syncFolders(context, { project, profile, id });
  try {
    await rememberShipped({ ...folders, signal: context.signal });
  } catch (error) {
    if (!isSyncError(error) || error.code === 'SP_SYNC_ABORTED') throw error;
    // What is wrong with the files is for the plan of the image to say.
    context.progress.note(`What ${name} gets is not remembered: ${error.message}`);
  }
}

/** Remembers what project and tenant have in common after a deploy, for the next {@link checkTenantEdits}. */
export async function rememberDeployed(context: Context, tenant: DeployedTenant): Promise<void> {
  try {
    await compare(context, tenant);
  } catch (error) {
    if (context.signal.aborted) throw error;
    // The deploy is done and well: what cannot be noted of it is no failure.
    const reason = error instanceof Error ? error.message : String(error);
    context.warn(`What ${tenant.name} has now is not remembered: ${reason}`);
  }
}

async function compare(
  context: Context,
  { project, profile, id, api, name }: DeployedTenant,
): Promise<SyncStatus | undefined> {
  const token = await findSyncToken(context, { project, profile, id });
  if (token === undefined) return undefined;
  const { appUrl } = await api.tenants.getStatus(id, { signal: context.signal });
  if (appUrl === undefined) return undefined;
  const { getSyncStatus, isSyncError } = await import('@sp/sync');
  try {
    const options = await syncOptions(context, { project, profile, id, url: appUrl, token });
    return await getSyncStatus({ ...options, remote: { ...options.remote, retries: 0, timeoutMs: 10_000 } });
  } catch (error) {
    if (!isSyncError(error) || error.code === 'SP_SYNC_ABORTED' || error.code === 'SP_SYNC_BASE_DAMAGED') throw error;
    // A tenant without the protocol is as good as one without edits; one that is in trouble gets the deploy that mends it.
    if (error.status !== 404)
      context.progress.note(`${name} could not be asked for changes of its own: ${error.message}`);
    return undefined;
  }
}
