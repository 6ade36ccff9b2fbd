import type { ProjectContext } from '@sp/paths';
import type { StoredTenant } from '@sp/tenants';
import { CliError } from '../cli-error.ts';
import type { Context } from '../context.ts';
import { wakeDatabase } from '../local-tenant/wake-database.ts';
import { listProjectProfiles } from '../profile-listing.ts';
import { shellWord } from '../shell-words.ts';
import { loadSelection } from '../tenant/selection.ts';
import { pickTenant } from '../tenant-listing.ts';

/** The database that a command is about. */
export interface DatabaseTarget {
  /** As it is reached from this computer. Holds the password. */
  readonly url: string;
  /** Of the profile or the tenant. */
  readonly name: string;
  /** `profile hello`, `tenant hello`. */
  readonly label: string;
  /** `--profile hello`, `--tenant hello`: names it on a command line. */
  readonly flag: string;
}

/**
 * The database of the profile that was named, else of the tenant that was named, else of the tenant selected, else of
 * the only profile, else of the only tenant, else of the one that the person picks. Starts the Postgres of local tenants when it
 * does not run.
 *
 * @throws {CliError} `SP_CLI_DATABASE_UNKNOWN`, `SP_CLI_PROFILE_NOT_FOUND`, `SP_CLI_TENANT_NOT_FOUND`
 */
export async function findDatabase(
  context: Context,
  options: {
    readonly tenant?: string | undefined;
    readonly profile?: string | undefined;
    /** The command line, without the tenant. */
    readonly command: string;
  },
): Promise<DatabaseTarget> {
  const { tenant, profile, command } = options;
  const project = context.requireProject();
  if (profile !== undefined) return await ofProfile(context, { project, name: profile });
  const { loadTenants } = await import('@sp/tenants');
  const tenants = (await loadTenants(project.localTenants))?.tenants ?? [];
  const selected = tenant ?? (await loadSelection(project));
  const known = selected === tenant || tenants.some(({ id }) => id === selected) ? selected : undefined;
  if (known === undefined) {
    const usable = (await listProjectProfiles(context, project)).filter(({ problem }) => problem === undefined);
    const [only] = usable;
    if (only !== undefined && usable.length === 1) return await ofProfile(context, { project, name: only.name });
  }
  const listed = tenants.map((stored) => ({ stored }));
  const { stored } = await pickTenant(listed, {
    idOrName: known,
    interactive: context.interactive,
    command: (id) => `${command} --tenant ${shellWord(id)}`,
  });
  return await ofTenant(context, stored);
}

/** The database of what is called `name`: a profile, else a tenant. */
export async function findDatabaseByName(context: Context, name: string): Promise<DatabaseTarget> {
  const project = context.requireProject();
  const profiles = await listProjectProfiles(context, project);
  if (profiles.some((profile) => profile.name === name)) return await ofProfile(context, { project, name });
  return await findDatabase(context, { tenant: name, command: '' });
}

async function ofProfile(
  context: Context,
  { project, name }: { project: ProjectContext; name: string },
): Promise<DatabaseTarget> {
  const profiles = await listProjectProfiles(context, project);
  const { config: path } = project.profile(name);
  if (!profiles.some((profile) => profile.name === name)) {
    const available = profiles.map((profile) => profile.name);
    throw new CliError('SP_CLI_PROFILE_NOT_FOUND', `There is no profile ${name}`, { path, available });
  }
  const { effectiveDatabaseUrl, loadProfile, resolveSecrets } = await import('@sp/tenants');
  const { secrets } = await resolveSecrets({ profile: await loadProfile(path, context), env: context.env });
  return await known(context, effectiveDatabaseUrl(secrets, { external: true }), {
    name,
    label: `profile ${name}`,
    flag: `--profile ${shellWord(name)}`,
  });
}

async function ofTenant(context: Context, tenant: StoredTenant): Promise<DatabaseTarget> {
  const { localDatabaseUrl } = await import('@sp/tenants');
  return await known(context, localDatabaseUrl(tenant), {
    name: tenant.name,
    label: `tenant ${tenant.name}`,
    flag: `--tenant ${shellWord(tenant.name)}`,
  });
}

async function known(
  context: Context,
  url: string | undefined,
  target: Omit<DatabaseTarget, 'url'>,
): Promise<DatabaseTarget> {
  const { isMaskedDatabaseUrl } = await import('@sp/tenants');
  if (url !== undefined && url !== '' && !isMaskedDatabaseUrl(url)) {
    await wakeDatabase(context, url);
    return { url, ...target };
  }
  const what = url ? 'the password of the database' : 'the database';
  throw new CliError('SP_CLI_DATABASE_UNKNOWN', `This project does not know ${what} of the ${target.label}`);
}
