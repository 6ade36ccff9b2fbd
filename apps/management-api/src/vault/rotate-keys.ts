import { and, asc, eq, isNotNull, or } from 'drizzle-orm';
import type { Vault } from '../ports/vault.ts';
import type { Store } from '../store/database.ts';
import { idempotencyKeys, signingKeys, tenantKeys } from '../store/schema.ts';
import { wrapContext } from '../tenants/data-keys.ts';

/** What {@link rotateKeys} has done. */
export interface RotateKeysResult {
  /** Of the key that seals. */
  readonly keyId: string;
  /** What was sealed again, by table. */
  readonly resealed: Readonly<Record<'tenant_keys' | 'signing_keys' | 'idempotency_keys', number>>;
  /** What no key of the vault opens: it was left as it is. */
  readonly unreadable: number;
}

/** A value that the vault has sealed, and how it is replaced. */
interface Sealed {
  readonly table: keyof RotateKeysResult['resealed'];
  readonly sealed: Buffer;
  readonly context: string;
  /** Does nothing when somebody else has changed the value meanwhile. */
  replace(sealed: Buffer): Promise<unknown>;
}

/**
 * Seals with the vault's newest key everything that its older keys have sealed: the tenants' data keys (and by them all
 * their secrets), the keys that sign access tokens and the kept answers. Value by value, while requests go on and other
 * processes read and write; one that is interrupted is begun again. When it has found nothing to do, and every process
 * has the newest key in front, the older keys can be dropped.
 */
export async function rotateKeys(
  { store, vault }: { readonly store: Store; readonly vault: Vault },
  options: { readonly signal?: AbortSignal | undefined } = {},
): Promise<RotateKeysResult> {
  const resealed = { tenant_keys: 0, signing_keys: 0, idempotency_keys: 0 };
  let unreadable = 0;
  for (const list of [listTenantKeys, listSigningKeys, listAnswers]) {
    for (const { table, sealed, context, replace } of await list(store, vault)) {
      options.signal?.throwIfAborted();
      try {
        const next = await vault.reseal(sealed, context);
        if (next === undefined) continue;
        await replace(next);
        resealed[table] += 1;
      } catch (error) {
        if (await opens(vault, { sealed, context })) throw error;
        unreadable += 1;
      }
    }
  }
  return { keyId: vault.keyId, resealed, unreadable };
}

async function listTenantKeys(store: Store, vault: Vault): Promise<Sealed[]> {
  const rows = await store.db.select().from(tenantKeys).orderBy(asc(tenantKeys.tenantId));
  return rows.map(({ tenantId, version, wrappedKey }) => ({
    table: 'tenant_keys',
    sealed: wrappedKey,
    context: wrapContext(tenantId, version),
    replace: async (next) =>
      await store.db
        .update(tenantKeys)
        .set({ wrappedKey: next, keyEncryptionKeyId: vault.keyId })
        .where(
          and(
            eq(tenantKeys.tenantId, tenantId),
            eq(tenantKeys.version, version),
            eq(tenantKeys.wrappedKey, wrappedKey),
          ),
        ),
  }));
}

async function listSigningKeys(store: Store): Promise<Sealed[]> {
  const rows = await store.db.select().from(signingKeys);
  return rows.map(({ kid, sealedPrivateJwk }) => ({
    table: 'signing_keys',
    sealed: sealedPrivateJwk,
    context: `signing-key|${kid}`,
    replace: async (next) =>
      await store.db
        .update(signingKeys)
        .set({ sealedPrivateJwk: next })
        .where(and(eq(signingKeys.kid, kid), eq(signingKeys.sealedPrivateJwk, sealedPrivateJwk))),
  }));
}

async function listAnswers(store: Store): Promise<Sealed[]> {
  const kept = or(isNotNull(idempotencyKeys.sealedAnswer), isNotNull(idempotencyKeys.sealedEffect));
  const rows = await store.db.select().from(idempotencyKeys).where(kept);
  return rows.flatMap(({ userId, key, ...row }) => {
    const own = and(eq(idempotencyKeys.userId, userId), eq(idempotencyKeys.key, key));
    return (['sealedAnswer', 'sealedEffect'] as const).flatMap((column) => {
      const sealed = row[column];
      if (sealed === null) return [];
      const replace = async (next: Buffer) =>
        await store.db
          .update(idempotencyKeys)
          .set({ [column]: next })
          .where(and(own, eq(idempotencyKeys[column], sealed)));
      return [{ table: 'idempotency_keys' as const, sealed, context: `idempotency|${userId}|${key}`, replace }];
    });
  });
}

async function opens(vault: Vault, { sealed, context }: Pick<Sealed, 'sealed' | 'context'>): Promise<boolean> {
  try {
    await vault.open(sealed, context);
    return true;
  } catch {
    return false;
  }
}
