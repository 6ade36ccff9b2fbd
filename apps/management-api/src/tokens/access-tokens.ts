import { randomUUID } from 'node:crypto';
import { jwtVerify, SignJWT } from 'jose';
import type { Vault } from '../ports/vault.ts';
import type { Store } from '../store/database.ts';
import { findSessionEnd } from './login-sessions.ts';
import {
  algorithm,
  loadSigningKeys,
  pickSigningKey,
  rotateSigningKey,
  rotateSigningKeyIfDue,
  type SigningKey,
} from './signing-keys.ts';

/** How long an access token is good when nothing else is said, in seconds: 30 days. */
export const accessTokenSeconds = 30 * 24 * 60 * 60;
/** How long a key signs before the next one, in milliseconds: 30 days. */
const keyAgeMs = 30 * 24 * 60 * 60_000;
/** Another process may have rotated the keys: they are looked at again so often, in milliseconds. */
const reloadMs = 5 * 60_000;

/** Whose an access token is. */
export interface VerifiedToken {
  readonly userId: string;
  readonly email: string;
  /** The login that it belongs to; its end is the token's. */
  readonly sessionId?: string | undefined;
  /** When it ends, unless something ends it before. */
  readonly expiresAt: Date;
}

/** Gives out and checks access tokens: JWTs of RFC 9068. */
export interface AccessTokens {
  /** `expiresIn` is in seconds. A token without a session lasts until it expires. */
  issue(
    user: { readonly id: string; readonly email: string },
    options?: { readonly sessionId?: string | undefined; readonly ttlSeconds?: number | undefined },
  ): Promise<{ token: string; expiresIn: number }>;
  /** Whose token it is; `undefined` when it is not, or no longer, good for this API. */
  verify(token: string): Promise<VerifiedToken | undefined>;
  /** The public keys, for others to check tokens with. */
  jwks(): Promise<{ keys: object[] }>;
  /** Makes a new signing key and gives its id; the keys before it are good until their last token has expired. */
  rotate(): Promise<string>;
  /** The same when the newest key is older than `maxAgeMs` milliseconds; `undefined` when it is not. */
  rotateIfDue(options?: {
    /** @defaultValue 30 days */
    readonly maxAgeMs?: number | undefined;
  }): Promise<string | undefined>;
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
  const { store, issuer, now = Date.now } = deps;
  let keys = await loadSigningKeys(deps);
  let loadedAt = now();

  async function reload(): Promise<void> {
    loadedAt = now();
    keys = await loadSigningKeys(deps);
  }

  async function findKey(kid: string | undefined): Promise<SigningKey | undefined> {
    const find = () => keys.find((key) => key.kid === kid && isGood(key));
    const known = find();
    // Another process may have made a key since; made-up ids must not become a query each.
    if (known !== undefined || now() - loadedAt < 1000) return known;
    await reload();
    return find();
  }

  function isGood({ retiredAt }: SigningKey): boolean {
    return retiredAt === undefined || retiredAt.getTime() > now();
  }

  return {
    async issue(user, { sessionId, ttlSeconds = deps.ttlSeconds ?? accessTokenSeconds } = {}) {
      if (now() - loadedAt > reloadMs) await reload();
      const key = pickSigningKey(keys, now());
      const issuedAt = Math.floor(now() / 1000);
      const token = await new SignJWT({ email: user.email, ...(sessionId === undefined ? {} : { sid: sessionId }) })
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
      const claims = await readClaims(token, { findKey, issuer, now: now() });
      if (claims?.sessionId === undefined) return claims;
      // Asked each time: a login that was ended must not work on until its token expires.
      const sessionEnd = await findSessionEnd({ store, now }, claims.sessionId);
      if (sessionEnd === undefined) return undefined;
      return sessionEnd < claims.expiresAt ? { ...claims, expiresAt: sessionEnd } : claims;
    },

    async jwks() {
      if (now() - loadedAt > reloadMs) await reload();
      return { keys: keys.filter(isGood).map((key) => key.publicJwk) };
    },

    async rotate() {
      const kid = await rotateSigningKey(deps, { overlapSeconds: accessTokenSeconds });
      await reload();
      return kid;
    },

    async rotateIfDue({ maxAgeMs = keyAgeMs } = {}) {
      const kid = await rotateSigningKeyIfDue(deps, { overlapSeconds: accessTokenSeconds, maxAgeMs });
      if (kid !== undefined) await reload();
      return kid;
    },
  };
}

async function readClaims(
  token: string,
  options: {
    findKey(kid: string | undefined): Promise<SigningKey | undefined>;
    readonly issuer: string;
    readonly now: number;
  },
): Promise<VerifiedToken | undefined> {
  const { findKey, issuer, now } = options;
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
        currentDate: new Date(now),
      },
    );
    const { sub, email, sid, exp = 0 } = payload;
    if (typeof sub !== 'string' || typeof email !== 'string') return undefined;
    const expiresAt = new Date(exp * 1000);
    return { userId: sub, email, expiresAt, ...(typeof sid === 'string' ? { sessionId: sid } : {}) };
  } catch (error) {
    if (isRefusal(error)) return undefined;
    throw error;
  }
}

class UnknownKey extends Error {}

/** A bad token is an answer; a database that does not answer is not. */
function isRefusal(error: unknown): boolean {
  if (error instanceof UnknownKey) return true;
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return error instanceof TypeError || (typeof code === 'string' && code.startsWith('ERR_J'));
}
