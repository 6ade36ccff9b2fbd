import type { CloudApiClient, TenantInfo } from '@sp/cloud-api';
import type { ProjectContext } from '@sp/paths';
import { CliError } from '../cli-error.ts';
import type { Context } from '../context.ts';
import { listProjectProfiles } from '../profile-listing.ts';
import { shellWord } from '../shell-words.ts';
import { listTenants, pickTenant } from '../tenant-listing.ts';
import { tenantOfAccount } from './of-account.ts';
import { loadSelection } from './selection.ts';

/** The tenant that a command is about, as the API knows it now. */
export interface Target {
  readonly id: string;
  readonly name: string;
  readonly info: TenantInfo;
  /** `hello (0b1c…, hello.example)`: for what is said before a change. */
  readonly label: string;
  readonly api: CloudApiClient;
  readonly project: ProjectContext;
}

/**
 * The tenant that was named, else that of the profile that was named, else the one selected, else that of the only
 * profile, else the only one there is, else the one that the person picks.
 *
 * @throws {CliError} `SP_CLI_NO_PROJECT`, `SP_CLI_TENANT_NOT_FOUND`, `SP_CLI_INPUT_NEEDED`
 */
export async function findTarget(
  context: Context,
  options: {
    readonly tenant?: string | undefined;
    readonly profile?: string | undefined;
    /** The command line, without the tenant. */
    readonly command: string;
    /** How the command takes the tenant. @defaultValue '--tenant ' */
    readonly as?: string;
  },
): Promise<Target> {
  const { tenant, profile, command, as = '--tenant ' } = options;
  const project = context.requireProject();
  const tenants = (await listTenants(context)).filter(({ stored }) => stored.tenantType === 'cloud');
  const known = (id: string | undefined): string | undefined =>
    tenants.some(({ stored }) => stored.id === id) ? id : undefined;
  const idOrName =
    tenant ??
    (profile === undefined ? undefined : await tenantOfProfile(context, project, profile)) ??
    known(await loadSelection(project)) ??
    known(await tenantOfProfile(context, project, undefined));
  const { stored, info } = await pickTenant(tenants, {
    idOrName,
    interactive: context.interactive,
    command: (id) => `${command} ${as}${shellWord(id)}`,
  });
  const api = await context.api();
  const now = info ?? (await tenantOfAccount(context, { ...stored, api }));
  const { id, name, hostname } = now;
  return {
    id,
    name,
    info: now,
    label: `${name} (${hostname === undefined ? id : `${id}, ${hostname}`})`,
    api,
    project,
  };
}

/** The tenant of the profile of this name; without a name, of the only profile that has one. */
async function tenantOfProfile(
  context: Context,
  project: ProjectContext,
  name: string | undefined,
): Promise<string | undefined> {
  const profiles = await listProjectProfiles(context, project);
  if (name === undefined) {
    const ids = new Set(profiles.flatMap(({ tenantId }) => tenantId ?? []));
    return ids.size === 1 ? [...ids][0] : undefined;
  }
  const found = profiles.find((profile) => profile.name === name);
  const available = profiles.map((profile) => profile.name);
  const path = project.profile(name).config;
  if (found === undefined) {
    throw new CliError('SP_CLI_PROFILE_NOT_FOUND', `There is no profile ${name}`, { path, available });
  }
  if (found.tenantId !== undefined) return found.tenantId;
  throw new CliError('SP_CLI_PROFILE_NOT_CLOUD', `The profile ${name} has no tenant in the cloud`, { path });
}
