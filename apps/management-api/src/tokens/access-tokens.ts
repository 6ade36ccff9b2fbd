import { randomUUID } from 'node:crypto';
import { jwtVerify, SignJWT } from 'jose';
import type { Vault } from '../ports/vault.ts';
import type { Store } from '../store/database.ts';
import { algorithm, loadSigningKeys, type SigningKey } from './signing-keys.ts';

/** How long an access token is good, in seconds: 30 days. */
export const accessTokenSeconds = 30 * 24 * 60 * 60;

/** Gives out and checks access tokens: JWTs of RFC 9068. */
export interface AccessTokens {
  /** `expiresIn` is in seconds. */
  issue(user: { readonly id: string; readonly email: string }): Promise<{ token: string; expiresIn: number }>;
  /** Whose token it is; `undefined` when it is not, or no longer, good for this API. */
  verify(token: string): Promise<{ userId: string; email: string } | undefined>;
  /** The public keys, for others to check tokens with. */
  jwks(): Promise<{ keys: object[] }>;
}

/** Opens the signing keys of a store, making the first one. */
export async function createAccessTokens(deps: {
  readonly store: Store;
  readonly vault: Vault;
  /** The API's public address: issuer and audience of every token. */
  readonly issuer: string;
  /** @defaultValue {@link accessTokenSeconds} */
  readonly ttlSeconds?: number | undefined;
  /** Milliseconds since 1970. @defaultValue `Date.now` */
  readonly now?: (() => number) | undefined;
}): Promise<AccessTokens> {
  const { issuer, ttlSeconds = accessTokenSeconds, now = Date.now } = deps;
  let keys = await loadSigningKeys(deps);
  let loadedAt = now();

  async function findKey(kid: string | undefined): Promise<SigningKey | undefined> {
    const find = () => keys.find((key) => key.kid === kid);
    const known = find();
    // Another process may have made a key since; made-up ids must not become a query each.
    if (known !== undefined || now() - loadedAt < 1000) return known;
    loadedAt = now();
    keys = await loadSigningKeys(deps);
    return find();
  }

  return {
    async issue(user) {
      const [key] = keys;
      if (key === undefined) throw new Error('There is no signing key.');
      const issuedAt = Math.floor(now() / 1000);
      const token = await new SignJWT({ email: user.email })
        .setProtectedHeader({ alg: algorithm, kid: key.kid, typ: 'at+jwt' })
        .setIssuer(issuer)
        .setAudience(issuer)
        .setSubject(user.id)
        .setJti(randomUUID())
        .setIssuedAt(issuedAt)
        .setExpirationTime(issuedAt + ttlSeconds)
        .sign(key.privateKey);
      return { token, expiresIn: ttlSeconds };
    },

    async verify(token) {
      try {
        const { payload } = await jwtVerify(
          token,
          async (header) => {
            const key = await findKey(header.kid);
            if (key === undefined) throw new UnknownKey();
            return key.publicKey;
          },
          {
            algorithms: [algorithm],
            typ: 'at+jwt',
            issuer,
            audience: issuer,
            requiredClaims: ['sub', 'email', 'exp'],
            currentDate: new Date(now()),
          },
        );
        const { sub, email } = payload;
        return typeof sub === 'string' && typeof email === 'string' ? { userId: sub, email } : undefined;
      } catch (error) {
        if (isRefusal(error)) return undefined;
        throw error;
      }
    },

    jwks: async () => ({ keys: keys.map((key) => key.publicJwk) }),
  };
}

class UnknownKey extends Error {}

/** A bad token is an answer; a database that does not answer is not. */
function isRefusal(error: unknown): boolean {
  if (error instanceof UnknownKey) return true;
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return error instanceof TypeError || (typeof code === 'string' && code.startsWith('ERR_J'));
}
