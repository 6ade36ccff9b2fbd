import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { and, desc, eq } from 'drizzle-orm';
import type { Vault } from '../ports/vault.ts';
import type { Transaction } from '../store/database.ts';
import { tenantKeys } from '../store/schema.ts';
import type { SecretReader } from './secret-versions.ts';

const nonceBytes = 12;
const tagBytes = 16;

/** So many bytes longer is what is sealed than what it holds. */
export const sealedExtraBytes = nonceBytes + tagBytes;

/** A tenant's own key; only the vault can unwrap what is stored of it. */
export interface DataKey {
  readonly version: number;
  encrypt(plaintext: string, context: string): Buffer;
  /** Throws when the bytes or the context were changed. */
  decrypt(sealed: Buffer, context: string): string;
}

/** The tenant's newest data key, made when it has none. Call it with the tenant's row locked. */
export async function findOrMakeDataKey(
  deps: { readonly tx: Transaction; readonly vault: Vault },
  tenantId: string,
): Promise<DataKey> {
  const { tx, vault } = deps;
  const [row] = await tx
    .select()
    .from(tenantKeys)
    .where(eq(tenantKeys.tenantId, tenantId))
    .orderBy(desc(tenantKeys.version))
    .limit(1);
  if (row !== undefined) return await unwrap(vault, row);
  const key = randomBytes(32);
  const version = 1;
  const wrappedKey = await vault.seal(key, wrapContext(tenantId, version));
  await tx.insert(tenantKeys).values({ tenantId, version, keyEncryptionKeyId: vault.keyId, wrappedKey });
  return dataKey(version, key);
}

/** The data key of a version. */
export async function readDataKey(
  deps: { readonly store: SecretReader; readonly vault: Vault },
  request: { readonly tenantId: string; readonly version: number },
): Promise<DataKey> {
  const [row] = await deps.store.db
    .select()
    .from(tenantKeys)
    .where(and(eq(tenantKeys.tenantId, request.tenantId), eq(tenantKeys.version, request.version)));
  if (row === undefined) throw new Error(`Tenant ${request.tenantId} has no data key ${request.version}`);
  return await unwrap(deps.vault, row);
}

async function unwrap(vault: Vault, row: typeof tenantKeys.$inferSelect): Promise<DataKey> {
  return dataKey(row.version, await vault.open(row.wrappedKey, wrapContext(row.tenantId, row.version)));
}

/** What a data key is wrapped for. */
export function wrapContext(tenantId: string, version: number): string {
  return `tenant-key|${tenantId}|${version}`;
}

function dataKey(version: number, key: Buffer): DataKey {
  return {
    version,
    encrypt: (plaintext, context) => {
      const nonce = randomBytes(nonceBytes);
      const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: tagBytes });
      cipher.setAAD(Buffer.from(context));
      const body = Buffer.concat([cipher.update(plaintext, 'utf8'), cipher.final()]);
      return Buffer.concat([nonce, body, cipher.getAuthTag()]);
    },
    decrypt: (sealed, context) => {
      const nonce = sealed.subarray(0, nonceBytes);
      const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: tagBytes });
      decipher.setAAD(Buffer.from(context));
      decipher.setAuthTag(sealed.subarray(-tagBytes));
      const body = sealed.subarray(nonceBytes, -tagBytes);
      return Buffer.concat([decipher.update(body), decipher.final()]).toString('utf8');
    },
  };
}
