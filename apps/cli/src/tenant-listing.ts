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
}

/**
 * The tenants of the project's store, first brought up to date from the API. When the API is out of reach, the store
 * alone answers, with a warning.
 */
export async function listTenants(
  context: Context,
  options: { /** Only what was known last. @defaultValue false */ readonly cached?: boolean } = {},
): Promise<readonly ListedTenant[]> {
  const { loadTenants, mergeTenantInfos } = await import('@sp/tenants');
  const path = context.project.localTenants;
  const before = await loadTenants(path);
  const infos = options.cached === true ? undefined : await getTenantInfos(context, before?.tenants ?? []);
  const kept = infos === undefined || (await isUpToDate(before, infos)) ? before : await mergeTenantInfos(path, infos);
  const stored = kept?.tenants ?? [];
  return stored.map((tenant) => ({ stored: tenant, info: infos?.find((info) => info.id === tenant.id) }));
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
