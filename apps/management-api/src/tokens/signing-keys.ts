import { randomUUID } from 'node:crypto';
import { isNull } from 'drizzle-orm';
import { type CryptoKey, exportJWK, generateKeyPair, importJWK, type JWK } from 'jose';
import type { Vault } from '../ports/vault.ts';
import type { Store } from '../store/database.ts';
import { signingKeys } from '../store/schema.ts';

/** The one algorithm of our tokens: EdDSA with Ed25519. */
export const algorithm = 'EdDSA';

/** A key that signs, and its public half as the world sees it. */
export interface SigningKey {
  readonly kid: string;
  readonly privateKey: CryptoKey;
  readonly publicKey: CryptoKey;
  readonly publicJwk: JWK;
}

/** The keys in use, newest first; makes the first one. Several processes may start at once: every key they make counts. */
export async function loadSigningKeys(deps: { readonly store: Store; readonly vault: Vault }): Promise<SigningKey[]> {
  const { store, vault } = deps;
  let rows = await listRows(store);
  if (rows.length === 0) {
    await createSigningKey(deps);
    rows = await listRows(store);
  }
  return Promise.all(
    rows.map(async (row): Promise<SigningKey> => {
      const sealed = await vault.open(row.sealedPrivateJwk, contextOf(row.kid));
      const publicJwk = row.publicJwk as JWK;
      return {
        kid: row.kid,
        publicJwk,
        // Both are key pairs of ours: never the bytes that `importJWK` gives for symmetric keys.
        privateKey: (await importJWK(JSON.parse(sealed.toString('utf8')) as JWK, algorithm)) as CryptoKey,
        publicKey: (await importJWK(publicJwk, algorithm)) as CryptoKey,
      };
    }),
  );
}

async function listRows(store: Store): Promise<(typeof signingKeys.$inferSelect)[]> {
  const rows = await store.db.select().from(signingKeys).where(isNull(signingKeys.retiredAt));
  return rows.sort((a, b) => b.createdAt.getTime() - a.createdAt.getTime() || a.kid.localeCompare(b.kid));
}

async function createSigningKey({ store, vault }: { readonly store: Store; readonly vault: Vault }): Promise<void> {
  const pair = await generateKeyPair(algorithm, { crv: 'Ed25519', extractable: true });
  const kid = randomUUID();
  await store.db.insert(signingKeys).values({
    kid,
    algorithm,
    publicJwk: { ...(await exportJWK(pair.publicKey)), kid, alg: algorithm, use: 'sig' },
    sealedPrivateJwk: await vault.seal(Buffer.from(JSON.stringify(await exportJWK(pair.privateKey))), contextOf(kid)),
  });
}

function contextOf(kid: string): string {
  return `signing-key|${kid}`;
}
