import { and, asc, eq, sql } from 'drizzle-orm';
import type { Vault } from '../ports/vault.ts';
import type { Store, Transaction } from '../store/database.ts';
import { tenantSecrets, tenants } from '../store/schema.ts';
import { findOrMakeDataKey, readDataKey } from './data-keys.ts';

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

/** Seals and stores secrets; names that exist get the new value, unless they are to be kept. */
export async function setSecrets(
  deps: { readonly store: Store; readonly vault: Vault },
  request: SetSecrets,
): Promise<void> {
  await deps.store.db.transaction((tx) => writeSecrets(tx, deps.vault, request));
}

/** {@link setSecrets} as a part of somebody's transaction. */
export async function writeSecrets(tx: Transaction, vault: Vault, request: SetSecrets): Promise<void> {
  const { tenantId, kind, secrets, keepExisting = false } = request;
  // One writer of a tenant's secrets at a time: the version is part of what is authenticated.
  await tx.select({ id: tenants.id }).from(tenants).where(eq(tenants.id, tenantId)).for('update');
  const key = await findOrMakeDataKey({ tx, vault }, tenantId);
  const rows = await tx
    .select({ name: tenantSecrets.name, version: tenantSecrets.version })
    .from(tenantSecrets)
    .where(and(eq(tenantSecrets.tenantId, tenantId), eq(tenantSecrets.kind, kind)));
  const versions = new Map(rows.map((row) => [row.name, row.version]));
  for (const [name, value] of Object.entries(secrets)) {
    const current = versions.get(name);
    if (current !== undefined && keepExisting) continue;
    const version = (current ?? 0) + 1;
    const ciphertext = key.encrypt(value, context({ tenantId, kind, name, version }));
    const sealed = { version, keyVersion: key.version, ciphertext };
    await tx
      .insert(tenantSecrets)
      .values({ tenantId, kind, name, ...sealed })
      .onConflictDoUpdate({
        target: [tenantSecrets.tenantId, tenantSecrets.kind, tenantSecrets.name],
        set: { ...sealed, updatedAt: sql`now()` },
      });
  }
}

/** The names of the owner's secrets, sorted. */
export async function listSecretNames(store: Store, tenantId: string): Promise<string[]> {
  const rows = await store.db
    .select({ name: tenantSecrets.name })
    .from(tenantSecrets)
    .where(and(eq(tenantSecrets.tenantId, tenantId), eq(tenantSecrets.kind, 'user')))
    .orderBy(asc(tenantSecrets.name));
  return rows.map((row) => row.name).sort();
}

/** Removes one of the owner's secrets; false when there was none. */
export async function deleteSecret(
  store: Store,
  request: { readonly tenantId: string; readonly name: string },
): Promise<boolean> {
  const rows = await store.db
    .delete(tenantSecrets)
    .where(
      and(
        eq(tenantSecrets.tenantId, request.tenantId),
        eq(tenantSecrets.kind, 'user'),
        eq(tenantSecrets.name, request.name),
      ),
    )
    .returning({ name: tenantSecrets.name });
  return rows.length > 0;
}

/** The secrets in the clear: for the machine's environment and the one-time link, for nothing else. */
export async function readSecrets(
  deps: { readonly store: Store; readonly vault: Vault },
  request: { readonly tenantId: string; readonly kind: SecretKind },
): Promise<Record<string, string>> {
  const { tenantId, kind } = request;
  const rows = await deps.store.db
    .select()
    .from(tenantSecrets)
    .where(and(eq(tenantSecrets.tenantId, tenantId), eq(tenantSecrets.kind, kind)))
    .orderBy(asc(tenantSecrets.name));
  const secrets = new Map<string, string>();
  for (const version of new Set(rows.map((row) => row.keyVersion))) {
    const key = await readDataKey(deps, { tenantId, version });
    for (const row of rows.filter((row) => row.keyVersion === version)) {
      secrets.set(row.name, key.decrypt(row.ciphertext, context(row)));
    }
  }
  return Object.fromEntries(secrets);
}

// Names hold no `|`, so two different secrets never have the same context.
function context(secret: { tenantId: string; kind: string; name: string; version: number }): string {
  return `${secret.tenantId}|${secret.kind}|${secret.name}|${secret.version}`;
}
