import { randomUUID } from 'node:crypto';
import { and, gt, isNull, ne, or, sql } from 'drizzle-orm';
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
  readonly createdAt: Date;
  /** From then on its tokens are refused. */
  readonly retiredAt: Date | undefined;
}

interface Deps {
  readonly store: Store;
  readonly vault: Vault;
  /** Milliseconds since 1970. @defaultValue `Date.now` */
  readonly now?: (() => number) | undefined;
}

/** A new key is published for so long before it signs: others keep the public keys for a few minutes. */
const publishMs = 10 * 60_000;

/** The keys in use, newest first; makes the first one. Several processes may start at once: every key they make counts. */
export async function loadSigningKeys(deps: Deps): Promise<SigningKey[]> {
  const { vault } = deps;
  let rows = await listRows(deps);
  if (!rows.some(({ retiredAt }) => retiredAt === null)) {
    await createSigningKey(deps);
    rows = await listRows(deps);
  }
  return Promise.all(
    rows.map(async (row): Promise<SigningKey> => {
      const sealed = await vault.open(row.sealedPrivateJwk, contextOf(row.kid));
      const publicJwk = row.publicJwk as JWK;
      return {
        kid: row.kid,
        publicJwk,
        createdAt: row.createdAt,
        retiredAt: row.retiredAt ?? undefined,
        // Both are key pairs of ours: never the bytes that `importJWK` gives for symmetric keys.
        privateKey: (await importJWK(JSON.parse(sealed.toString('utf8')) as JWK, algorithm)) as CryptoKey,
        publicKey: (await importJWK(publicJwk, algorithm)) as CryptoKey,
      };
    }),
  );
}

/** The key that signs now: the newest that was published long enough ago. */
export function pickSigningKey(keys: readonly SigningKey[], now: number): SigningKey {
  const published = keys.find(({ createdAt }) => createdAt.getTime() <= now - publishMs);
  // The first key of an installation signs at once: nobody can know another one.
  const key = published ?? keys.at(-1);
  if (key === undefined) throw new Error('There is no signing key.');
  return key;
}

/** Makes a new key; those before it are refused once `overlapSeconds` have passed since the new one signs. */
export async function rotateSigningKey(
  deps: Deps,
  { overlapSeconds }: { readonly overlapSeconds: number },
): Promise<string> {
  const { store, now = Date.now } = deps;
  const kid = await createSigningKey(deps);
  const retiredAt = new Date(now() + publishMs + overlapSeconds * 1000);
  await store.db
    .update(signingKeys)
    .set({ retiredAt })
    .where(and(isNull(signingKeys.retiredAt), ne(signingKeys.kid, kid)));
  return kid;
}

/**
 * Makes a new key when the newest is older than `maxAgeMs`; `undefined` when it is not. Of several processes that ask at
 * once one makes it.
 */
export async function rotateSigningKeyIfDue(
  deps: Deps,
  { overlapSeconds, maxAgeMs }: { readonly overlapSeconds: number; readonly maxAgeMs: number },
): Promise<string | undefined> {
  const { store, now = Date.now } = deps;
  return await store.db.transaction(async (tx) => {
    await tx.execute(sql`select pg_advisory_xact_lock(hashtextextended('signing-keys', 0))`);
    const [newest] = await listRows(deps);
    if (newest !== undefined && newest.createdAt.getTime() > now() - maxAgeMs) return undefined;
    return await rotateSigningKey(deps, { overlapSeconds });
  });
}

async function listRows({ store, now = Date.now }: Deps): Promise<(typeof signingKeys.$inferSelect)[]> {
  const rows = await store.db
    .select()
    .from(signingKeys)
    .where(or(isNull(signingKeys.retiredAt), gt(signingKeys.retiredAt, new Date(now()))));
  return rows.sort((a, b) => b.createdAt.getTime() - a.createdAt.getTime() || a.kid.localeCompare(b.kid));
}

async function createSigningKey({ store, vault, now = Date.now }: Deps): Promise<string> {
  const pair = await generateKeyPair(algorithm, { crv: 'Ed25519', extractable: true });
  const kid = randomUUID();
  await store.db.insert(signingKeys).values({
    kid,
    algorithm,
    publicJwk: { ...(await exportJWK(pair.publicKey)), kid, alg: algorithm, use: 'sig' },
    sealedPrivateJwk: await vault.seal(Buffer.from(JSON.stringify(await exportJWK(pair.privateKey))), contextOf(kid)),
    createdAt: new Date(now()),
  });
  return kid;
}

function contextOf(kid: string): string {
  return `signing-key|${kid}`;
}
