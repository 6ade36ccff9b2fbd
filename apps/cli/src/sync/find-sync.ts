import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { ProjectContext } from '@sp/paths';
import type { SyncOptions } from '@sp/sync';
import { CliError } from '../cli-error.ts';
import { type Context, hostOf } from '../context.ts';
import { formatBytes } from '../output/bytes.ts';
import { count } from '../output/count.ts';
import { listProjectProfiles } from '../profile-listing.ts';
import { findTarget } from '../tenant/target.ts';
import { createTenantFetch } from './tenant-fetch.ts';

/** A project and the running tenant that it is synced with. */
export interface SyncTarget {
  readonly id: string;
  readonly name: string;
  readonly label: string;
  readonly options: SyncOptions;
}

/**
 * The tenant that is meant, see `findTarget`, with its address and its sync token.
 *
 * @throws {CliError} `SP_CLI_SYNC_TOKEN_UNKNOWN`, `SP_CLI_NO_PAGE` when nothing runs yet
 */
export async function findSync(
  context: Context,
  request: {
    readonly tenant?: string | undefined;
    readonly profile?: string | undefined;
    /** The command line, without the tenant. */
    readonly command: string;
  },
): Promise<SyncTarget> {
  const { id, name, label, api, project } = await findTarget(context, request);
  const { appUrl } = await api.tenants.getStatus(id, { signal: context.signal });
  if (appUrl === undefined) throw new CliError('SP_CLI_NO_PAGE', `${name} does not run yet`, { tenantId: id });
  const profile = request.profile ?? (await profileOf(context, project, id));
  const token = await findSyncToken(context, { project, profile, id });
  if (token === undefined) {
    throw new CliError('SP_CLI_SYNC_TOKEN_UNKNOWN', `This project does not know the sync token of ${name}`, {
      tenantId: id,
    });
  }
  return { id, name, label, options: await syncOptions(context, { project, profile, id, url: appUrl, token }) };
}

/** How a project is synced with a tenant whose address and token are known. */
export async function syncOptions(
  context: Context,
  request: {
    readonly project: ProjectContext;
    readonly profile: string | undefined;
    readonly id: string;
    readonly url: string;
    readonly token: string;
  },
): Promise<SyncOptions> {
  const { project, profile, id, url, token } = request;
  const { progress, signal } = context;
  return {
    ...(await syncFolders(context, { project, profile, id })),
    // Not the library's half a minute: whoever runs a command sees what is wrong, and can run it again.
    remote: { url, token, fetch: patientFetch(context), retries: 3, retryDelayMs: 500, timeoutMs: 20_000 },
    signal,
    onEvent: (event) => {
      if (event.type === 'transfer-retried') progress.note(`${event.reason}; trying again`);
      if (event.type === 'upload-started')
        progress.note(`Sending ${count(event.files, 'file')}, ${formatBytes(event.bytes)}`);
    },
  };
}

/** What of a project is synced, and where is kept what was synced last. */
export async function syncFolders(
  context: Context,
  { project, profile, id }: { project: ProjectContext; profile: string | undefined; id: string },
): Promise<Pick<SyncOptions, 'root' | 'stateDirectory'>> {
  return {
    root: await servicesFolder(context, project, profile),
    stateDirectory: await stateFolder(project, id),
  };
}

function patientFetch(context: Context): typeof globalThis.fetch {
  const send = createTenantFetch();
  return (input, init) => {
    // While something is sent, the tenant has no reason to answer.
    if (init?.body) return send(input, init);
    return context.awaitAnswer(
      () => hostOf(input),
      () => send(input, init),
    );
  };
}

/** Where is kept what a project and a tenant agreed on last. */
export function syncStateFolder(project: ProjectContext, tenantId: string): string {
  return join(dirname(project.localTenants), 'sync', tenantId);
}

/** Of the profile, else of the store; `undefined` when neither has it. */
export async function findSyncToken(
  context: Context,
  { project, profile, id }: { project: ProjectContext; profile: string | undefined; id: string },
): Promise<string | undefined> {
  const { loadSecrets, loadTenants } = await import('@sp/tenants');
  const secrets = profile === undefined ? undefined : await loadSecrets(project.profile(profile).secrets);
  const fromProfile = secrets?.['sync_token'];
  if (fromProfile) return fromProfile;
  const stored = (await loadTenants(project.localTenants))?.tenants.find((tenant) => tenant.id === id);
  return stored?.syncToken || undefined;
}

async function profileOf(context: Context, project: ProjectContext, id: string): Promise<string | undefined> {
  const profiles = await listProjectProfiles(context, project);
  return profiles.find(({ tenantId }) => tenantId === id)?.name;
}

/** A profile for the cloud names the folder inside the tenant's image; here it is the project's own. */
async function servicesFolder(context: Context, project: ProjectContext, profile: string | undefined): Promise<string> {
  const usual = join(project.root, 'services');
  if (profile === undefined) return usual;
  const { loadProfile } = await import('@sp/tenants');
  const { paths } = await loadProfile(project.profile(profile).config, { env: context.env });
  return existsSync(paths.services) ? paths.services : usual;
}

async function stateFolder(project: ProjectContext, id: string): Promise<string> {
  const folder = syncStateFolder(project, id);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  // Snapshots of files do not belong into the project's history.
  await writeFile(join(dirname(folder), '.gitignore'), '*\n');
  return folder;
}
