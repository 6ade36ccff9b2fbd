import type { TenantInfo } from '@sp/cloud-api';
import { readPrivateFile, updatePrivateFile } from '@sp/private-file';
import { mergeTenantInfo, type StoredTenant, storedTenantFromInfo, type TenantStore } from './stored-tenant.ts';
import type { StoreFile } from './wire.ts';

/** Options of the functions that write `tenants.json`. */
export interface TenantStoreOptions {
  /** The time, in milliseconds. @defaultValue Date.now */
  readonly now?: (() => number) | undefined;
  /** Gives up waiting for other processes. */
  readonly signal?: AbortSignal | undefined;
}

/** How long a writer stands in a queue of hundreds, in milliseconds; `signal` cuts it short. */
const lockTimeoutMs = 60_000;

/**
 * The tenants in a `tenants.json`, or `undefined` when there is none yet.
 *
 * @throws {@link TenantsError} `SP_TENANTS_CORRUPTED`, `SP_TENANTS_INVALID`
 * @example
 * const store = await loadTenants('/home/ada/site/.systemprompt/tenants.json');
 */
export async function loadTenants(path: string): Promise<TenantStore | undefined> {
  const text = await readPrivateFile(path);
  const { parseStoreFile, storeFromFile } = await loadWire();
  return text === undefined ? undefined : storeFromFile(parseStoreFile(text, path), path);
}

/**
 * Replaces the store. Members that this version does not know survive, except those of tenants that are gone; a file
 * that cannot be read is replaced as it is.
 *
 * @throws {@link TenantsError} `SP_TENANTS_INVALID`
 */
export async function saveTenants(path: string, store: TenantStore, options: TenantStoreOptions = {}): Promise<void> {
  const { formatStore, parseStoreFile } = await loadWire();
  formatStore(store, undefined, path);
  const readable = (text: string): StoreFile | undefined => {
    try {
      return parseStoreFile(text, path);
    } catch {
      return undefined;
    }
  };
  const update = (text: string | undefined): string =>
    formatStore(store, text === undefined ? undefined : readable(text), path);
  await updatePrivateFile(path, update, { signal: options.signal, lockTimeoutMs });
}

/** Adds the tenant, or replaces the one of the same id. Gives the new store. Other processes lose nothing. */
export async function upsertTenant(
  path: string,
  tenant: StoredTenant,
  options: TenantStoreOptions = {},
): Promise<TenantStore> {
  const { now = Date.now, signal } = options;
  return updateStore(path, signal, (store) => {
    const { tenants, syncedAt } = store ?? { tenants: [], syncedAt: new Date(now()) };
    return { tenants: replaceById(tenants, tenant), syncedAt };
  });
}

/**
 * Takes the tenant of this id out, so that other processes lose nothing; one that is not there is no error. Gives the new
 * store, or `undefined` when there is none.
 */
export async function deleteTenant(
  path: string,
  id: string,
  options: TenantStoreOptions = {},
): Promise<TenantStore | undefined> {
  const { now = Date.now, signal } = options;
  const before = await loadTenants(path);
  if (before === undefined || before.tenants.every((tenant) => tenant.id !== id)) return before;
  return updateStore(path, signal, (store) => {
    const { tenants, syncedAt } = store ?? { tenants: [], syncedAt: new Date(now()) };
    return { tenants: tenants.filter((tenant) => tenant.id !== id), syncedAt };
  });
}

/**
 * Brings the store up to date with the server: tenants are added and updated, never taken away, and what only this
 * computer knows (local tenants, passwords, sync tokens) stays. Gives the new store.
 */
export async function mergeTenantInfos(
  path: string,
  infos: readonly TenantInfo[],
  options: TenantStoreOptions = {},
): Promise<TenantStore> {
  const { now = Date.now, signal } = options;
  return updateStore(path, signal, (store) => {
    const tenants = [...(store?.tenants ?? [])];
    const places = new Map<string, number>();
    // Backwards, because the first tenant of an id is the one that counts.
    for (const [index, { id }] of [...tenants.entries()].toReversed()) places.set(id, index);
    for (const info of infos) {
      const place = places.get(info.id) ?? tenants.length;
      const known = tenants[place];
      tenants[place] = known === undefined ? storedTenantFromInfo(info) : mergeTenantInfo(known, info);
      places.set(info.id, place);
    }
    return { tenants, syncedAt: new Date(now()) };
  });
}

async function updateStore(
  path: string,
  signal: AbortSignal | undefined,
  change: (store: TenantStore | undefined) => TenantStore,
): Promise<TenantStore> {
  const { formatStore, parseStoreFile, storeFromFile } = await loadWire();
  let changed = change(undefined);
  await updatePrivateFile(
    path,
    (text) => {
      // A file that cannot be read is not replaced here: it may hold the only copy of a password.
      const file = text === undefined ? undefined : parseStoreFile(text, path);
      if (file !== undefined) changed = change(storeFromFile(file, path));
      return formatStore(changed, file, path);
    },
    { signal, lockTimeoutMs },
  );
  return changed;
}

function replaceById(tenants: readonly StoredTenant[], tenant: StoredTenant): readonly StoredTenant[] {
  const index = tenants.findIndex(({ id }) => id === tenant.id);
  return index === -1 ? [...tenants, tenant] : tenants.with(index, tenant);
}

/** Loaded here and not at the top: a program that only might read tenants pays nothing for their schema. */
const loadWire = () => import('./wire.ts');
