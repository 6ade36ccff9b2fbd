import { eq } from 'drizzle-orm';
import type { Vault } from '../ports/vault.ts';
import type { Store, Transaction } from '../store/database.ts';
import { tenantSecrets, tenants } from '../store/schema.ts';
import { findOrMakeDataKey, readDataKey } from './data-keys.ts';
import { checkSecretLimits } from './secret-limits.ts';
import { listSecretRows, pruneSecretVersions, readSecretsVersion, type SecretReader } from './secret-versions.ts';

/** `platform`: made by provisioning; `user`: set by the tenant's owner. */
export type SecretKind = 'platform' | 'user';

/** What {@link setSecrets} writes. */
export interface SetSecrets {
  readonly tenantId: string;
  readonly kind: SecretKind;
  readonly secrets: Readonly<Record<string, string>>;
  /** Leaves names that have a value already. @defaultValue false */
  readonly keepExisting?: boolean | undefined;
}

/**
 * Seals and stores secrets; names that exist get the new value, unless they are to be kept.
 * @throws {ApiFailure} invalid_request when an owner would have too many
 */
export async function setSecrets(
  deps: { readonly store: Store; readonly vault: Vault },
  request: SetSecrets,
): Promise<void> {
  await deps.store.db.transaction((tx) => writeSecrets(tx, deps.vault, request));
}

/** {@link setSecrets} as a part of somebody's transaction. Values that stay the same make no new version. */
export async function writeSecrets(tx: Transaction, vault: Vault, request: SetSecrets): Promise<void> {
  const { tenantId, kind, secrets, keepExisting = false } = request;
  // One writer of a tenant's secrets at a time: the version is part of what is authenticated.
  await lockTenant(tx, tenantId);
  const key = await findOrMakeDataKey({ tx, vault }, tenantId);
  const rows = new Map((await listSecretRows(tx, { tenantId, kind })).map((row) => [row.name, row]));
  if (kind === 'user') checkSecretLimits(rows, secrets);
  const version = (await readSecretsVersion(tx, { tenantId, kind })) + 1;
  for (const [name, value] of Object.entries(secrets)) {
    const current = rows.get(name);
    if (current !== undefined && keepExisting) continue;
    const known = current?.keyVersion === key.version ? key.decrypt(current.ciphertext, context(current)) : undefined;
    if (known === value) continue;
    const ciphertext = key.encrypt(value, context({ tenantId, kind, name, version }));
    await tx.insert(tenantSecrets).values({ tenantId, kind, name, version, keyVersion: key.version, ciphertext });
  }
  await pruneSecretVersions(tx, { tenantId, kind });
}

/** The names of the owner's secrets, sorted. */
export async function listSecretNames(store: Store, tenantId: string): Promise<string[]> {
  const rows = await listSecretRows(store.db, { tenantId, kind: 'user' });
  return rows.map((row) => row.name).sort();
}

/** Removes one of the owner's secrets; false when there was none. Releases that had it keep it. */
export async function deleteSecret(
  store: Store,
  request: { readonly tenantId: string; readonly name: string },
): Promise<boolean> {
  const { tenantId, name } = request;
  return await store.db.transaction(async (tx) => (await removeSecrets(tx, { tenantId, names: [name] })) > 0);
}

/** {@link deleteSecret} of several names as a part of somebody's transaction; how many there were. */
export async function removeSecrets(
  tx: Transaction,
  request: { readonly tenantId: string; readonly names: readonly string[] },
): Promise<number> {
  const { tenantId, names } = request;
  const kind = 'user';
  await lockTenant(tx, tenantId);
  const rows = (await listSecretRows(tx, { tenantId, kind })).filter((row) => names.includes(row.name));
  const version = (await readSecretsVersion(tx, { tenantId, kind })) + 1;
  for (const { name, keyVersion } of rows) {
    await tx.insert(tenantSecrets).values({ tenantId, kind, name, version, keyVersion, ciphertext: null });
  }
  await pruneSecretVersions(tx, { tenantId, kind });
  return rows.length;
}

/**
 * The secrets in the clear: for the machine's environment and the one-time link, for nothing else. With `version` as
 * they were then.
 */
export async function readSecrets(
  deps: { readonly store: SecretReader; readonly vault: Vault },
  request: { readonly tenantId: string; readonly kind: SecretKind; readonly version?: number | undefined },
): Promise<Record<string, string>> {
  const { tenantId } = request;
  const rows = await listSecretRows(deps.store.db, request);
  const secrets = new Map<string, string>();
  for (const version of new Set(rows.map((row) => row.keyVersion))) {
    const key = await readDataKey(deps, { tenantId, version });
    for (const row of rows.filter((row) => row.keyVersion === version)) {
      secrets.set(row.name, key.decrypt(row.ciphertext, context(row)));
    }
  }
  return Object.fromEntries(secrets);
}

async function lockTenant(tx: Transaction, tenantId: string): Promise<void> {
  await tx.select({ id: tenants.id }).from(tenants).where(eq(tenants.id, tenantId)).for('update');
}

// Names hold no `|`, so two different secrets never have the same context.
function context(secret: { tenantId: string; kind: string; name: string; version: number }): string {
  return `${secret.tenantId}|${secret.kind}|${secret.name}|${secret.version}`;
}
