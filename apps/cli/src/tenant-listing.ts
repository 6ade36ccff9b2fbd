import type { TenantInfo } from '@sp/cloud-api';
import type { StoredTenant, TenantStore } from '@sp/tenants';
import { CliError } from './cli-error.ts';
import type { Context } from './context.ts';
import { shellWord } from './shell-words.ts';

/** A tenant as the project's store and the API know it. */
export interface ListedTenant {
  readonly stored: StoredTenant;
  /** Absent for a local tenant, and for every tenant while the API is out of reach. */
  readonly info?: TenantInfo | undefined;
  /** Whether it is one of the cloud that the API does not have for this account. */
  readonly isForeign?: boolean | undefined;
}

/** Tenants, and how new what is said of them is. */
export interface TenantListing {
  readonly tenants: readonly ListedTenant[];
  /** Whether the API did not say it just now. */
  readonly stale: boolean;
  /** When it last did; absent: never for this project. */
  readonly syncedAt?: Date | undefined;
}

/** The tenants of {@link loadListing}. */
export async function listTenants(context: Context): Promise<readonly ListedTenant[]> {
  return (await loadListing(context)).tenants;
}

/**
 * The tenants of the project's store, first brought up to date from the API. When the API is out of reach, the store
 * alone answers, with a warning. An API of the environment that is not the project's answers alone: its tenants are
 * others, which the project does not keep. A folder that is no project keeps nothing.
 */
export async function loadListing(
  context: Context,
  options: { /** Only what was known last. @defaultValue false */ readonly cached?: boolean } = {},
): Promise<TenantListing> {
  const { loadTenants, mergeTenantInfos, storedTenantFromInfo } = await import('@sp/tenants');
  const path = context.project.localTenants;
  const isNowhere = options.cached !== true && !context.project.exists('root');
  if (isNowhere || (await isOtherApi(context))) {
    const { tenants } = await (await context.api()).user.get({ signal: context.signal });
    const listed = tenants.map((info) => ({ stored: storedTenantFromInfo(info), info, isForeign: false }));
    return { tenants: listed, stale: false, syncedAt: new Date() };
  }
  const before = await loadTenants(path);
  const infos = options.cached === true ? undefined : await getTenantInfos(context, before?.tenants ?? []);
  const kept = infos === undefined || (await isUpToDate(before, infos)) ? before : await mergeTenantInfos(path, infos);
  const stored = kept?.tenants ?? [];
  const tenants = stored.map((tenant) => {
    const info = infos?.find(({ id }) => id === tenant.id);
    const isForeign = infos !== undefined && info === undefined && tenant.tenantType === 'cloud';
    return { stored: tenant, info, isForeign };
  });
  return { tenants, stale: infos === undefined, syncedAt: infos === undefined ? kept?.syncedAt : new Date() };
}

/** Whether the environment's token is for another API than the one that this project is logged in to. */
async function isOtherApi({ env, project }: Context): Promise<boolean> {
  if (!env['SYSTEMPROMPT_API_TOKEN']) return false;
  const { bootstrapCredentials, loadCredentials } = await import('@sp/credentials');
  // A file that nobody can read says of no API that it is the project's.
  const own = await loadCredentials(project.localCredentials).catch(() => undefined);
  if (own === undefined) return false;
  const used = await bootstrapCredentials({ path: project.localCredentials, env });
  return used !== undefined && new URL(used.credentials.apiUrl).href !== new URL(own.apiUrl).href;
}

/** How old what is known may say that it is, in milliseconds. */
const writeEvery = 60 * 60 * 1000;

/** Whether writing would change nothing but the time; taking the lock and writing cost more than a call. */
async function isUpToDate(store: TenantStore | undefined, infos: readonly TenantInfo[]): Promise<boolean> {
  const { isStale, mergeTenantInfo } = await import('@sp/tenants');
  if (store === undefined || isStale(store, writeEvery)) return false;
  return infos.every((info) => {
    const known = store.tenants.find(({ id }) => id === info.id);
    if (known === undefined) return false;
    const merged = Object.entries(mergeTenantInfo(known, info));
    return merged.every(([name, value]) => known[name as keyof StoredTenant] === value);
  });
}

/**
 * The one tenant that `idOrName` means; without it, the only one there is, or the one that the person picks.
 *
 * @throws {CliError} `SP_CLI_TENANT_NOT_FOUND`, `SP_CLI_INPUT_NEEDED`
 * @throws {TenantsError} `SP_TENANTS_AMBIGUOUS`
 */
export async function pickTenant(
  tenants: readonly ListedTenant[],
  options: { idOrName: string | undefined; interactive: boolean; command: (id: string) => string },
): Promise<ListedTenant> {
  const { idOrName, interactive, command } = options;
  const available = tenants.map(({ stored }) => stored.name);
  if (idOrName !== undefined) {
    const { findTenant } = await import('@sp/tenants');
    const found = findTenant({ tenants: tenants.map(({ stored }) => stored), syncedAt: new Date() }, idOrName);
    const tenant = tenants.find(({ stored }) => stored === found);
    if (tenant !== undefined) return tenant;
    throw new CliError('SP_CLI_TENANT_NOT_FOUND', `There is no tenant ${JSON.stringify(idOrName)}`, { available });
  }
  const [only] = tenants;
  if (only === undefined) {
    const next = ['systemprompt cloud tenant create'];
    throw new CliError('SP_CLI_TENANT_NOT_FOUND', 'There is no tenant yet that this command is for', {
      available,
      next,
    });
  }
  if (tenants.length === 1) return only;
  if (!interactive) {
    throw new CliError('SP_CLI_INPUT_NEEDED', `There are ${tenants.length} tenants: which one?`, {
      next: tenants.map(({ stored }) => command(shellWord(stored.id))),
      available,
    });
  }
  const { askSelect } = await import('./prompts.ts');
  const choices = tenants.map(({ stored }) => ({ value: stored.id, label: stored.name, hint: stored.id }));
  const id = await askSelect({ message: 'Which tenant?', options: choices });
  return tenants.find(({ stored }) => stored.id === id) ?? only;
}

async function getTenantInfos(
  context: Context,
  stored: readonly StoredTenant[],
): Promise<readonly TenantInfo[] | undefined> {
  try {
    const api = await context.api();
    return (await api.user.get({ signal: context.signal })).tenants;
  } catch (error) {
    // Who has nothing but tenants on this computer needs no login.
    const nobody = error instanceof CliError && error.code === 'SP_CLI_NOT_LOGGED_IN';
    if (nobody && stored.length > 0 && stored.every(({ tenantType }) => tenantType === 'local')) return undefined;
    const { isCloudApiError } = await import('@sp/cloud-api');
    if (!isCloudApiError(error) || (error.code !== 'SP_API_NETWORK' && error.code !== 'SP_API_TIMEOUT')) throw error;
    context.warn(`${error.message}; showing what was known last`);
    return undefined;
  }
}
