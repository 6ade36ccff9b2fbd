import { randomBytes } from 'node:crypto';
import { Hono } from 'hono';
import { type CryptoKey, exportJWK, generateKeyPair, SignJWT, UnsecuredJWT } from 'jose';
import {
  answerUrl,
  createCodes,
  type Grant,
  isClient,
  type RegisteredClient,
  readAuthorization,
} from './authorization.ts';

/** Somebody with a Google account. */
export interface GooglePerson {
  readonly sub: string;
  readonly email: string;
  readonly emailVerified?: boolean | string;
  readonly name?: string;
}

/** What an attacker, or a mistake, does to the next ID token. */
export type Tampering =
  | 'audience'
  | 'issuer'
  | 'nonce'
  | 'no-nonce'
  | 'none'
  | 'signature'
  | 'symmetric'
  | 'expired'
  | 'no-token'
  | 'no-email';

/** Something that goes wrong with the next request; `none` lets one go well. */
export type IdentityFault = 'none' | 'error' | 'html' | 'silence';

/** Google's OpenID provider in this process, with the people at its pages. */
export interface FakeGoogle {
  fetch(request: Request): Promise<Response>;
  /** Somebody allows the login; gives the address that their browser is sent to. */
  allow(authorizeUrl: string, person: GooglePerson): string;
  /** Somebody does not. */
  deny(authorizeUrl: string): string;
  tamperNext(tampering: Tampering): void;
  failNext(...faults: readonly IdentityFault[]): void;
  /** Another key signs from now on. */
  rotateKey(): Promise<void>;
}

interface Key {
  readonly kid: string;
  readonly privateKey: CryptoKey;
  readonly publicJwk: object;
}

/** Stands in for `https://accounts.google.com`: discovery, keys, codes with PKCE, and signed ID tokens. */
export async function createFakeGoogle(options: {
  /** Its own address. */
  readonly issuer: () => string;
  readonly client: RegisteredClient;
  /** How long the fault `silence` lasts, in milliseconds. @defaultValue 60000 */
  readonly silenceMs?: number | undefined;
  readonly now?: (() => number) | undefined;
}): Promise<FakeGoogle> {
  const { issuer, client, silenceMs = 60_000, now = Date.now } = options;
  const codes = createCodes<GooglePerson>(now);
  const keys: Key[] = [await createKey()];
  const faults: IdentityFault[] = [];
  let tampering: Tampering | undefined;
  const app = new Hono();

  app.get('/.well-known/openid-configuration', ({ json }) =>
    json({
      issuer: issuer(),
      authorization_endpoint: `${issuer()}/o/oauth2/v2/auth`,
      token_endpoint: `${issuer()}/token`,
      jwks_uri: `${issuer()}/oauth2/v3/certs`,
      response_types_supported: ['code'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['RS256'],
      code_challenge_methods_supported: ['plain', 'S256'],
      authorization_response_iss_parameter_supported: true,
      token_endpoint_auth_methods_supported: ['client_secret_post', 'client_secret_basic'],
    }),
  );

  app.get('/oauth2/v3/certs', ({ json }) => json({ keys: keys.map(({ publicJwk }) => publicJwk) }));

  app.post('/token', async ({ req, json }) => {
    const form = new URLSearchParams(await req.text());
    if (!isClient(req.raw, form, client)) return json({ error: 'invalid_client' }, 401);
    if (form.get('grant_type') !== 'authorization_code') return json({ error: 'unsupported_grant_type' }, 400);
    const grant = codes.redeem(form);
    if (grant === undefined) return json({ error: 'invalid_grant', error_description: 'Malformed auth code.' }, 400);
    const idToken = await signIdToken(grant);
    return json({
      access_token: `ya29.${randomBytes(24).toString('base64url')}`,
      expires_in: 3599,
      token_type: 'Bearer',
      scope: grant.request.scope.join(' '),
      ...(idToken === undefined ? {} : { id_token: idToken }),
    });
  });

  async function signIdToken({ person, request }: Grant<GooglePerson>): Promise<string | undefined> {
    const act = tampering;
    tampering = undefined;
    if (act === 'no-token') return undefined;
    const seconds = Math.floor(now() / 1000) - (act === 'expired' ? 7200 : 0);
    const nonce = act === 'nonce' ? 'another' : act === 'no-nonce' ? undefined : request.nonce;
    const claims = {
      ...(act === 'no-email' ? {} : { email: person.email, email_verified: person.emailVerified ?? true }),
      ...(person.name === undefined ? {} : { name: person.name }),
      ...(nonce === undefined ? {} : { nonce }),
      azp: client.clientId,
    };
    const iss = act === 'issuer' ? 'https://accounts.example' : issuer();
    const aud = act === 'audience' ? 'another-client' : client.clientId;
    if (act === 'none') {
      const unsigned = new UnsecuredJWT(claims).setIssuer(iss).setAudience(aud).setSubject(person.sub);
      return unsigned
        .setIssuedAt(seconds)
        .setExpirationTime(seconds + 3600)
        .encode();
    }
    const key = keys[0];
    if (key === undefined) throw new Error('No key');
    const symmetric = act === 'symmetric';
    const token = await new SignJWT(claims)
      .setProtectedHeader({ alg: symmetric ? 'HS256' : 'RS256', kid: key.kid })
      .setIssuer(iss)
      .setAudience(aud)
      .setSubject(person.sub)
      .setIssuedAt(seconds)
      .setExpirationTime(seconds + 3600)
      .sign(symmetric ? new TextEncoder().encode(client.clientSecret.padEnd(32, '0')) : key.privateKey);
    if (act !== 'signature') return token;
    const [header, payload, signature = ''] = token.split('.');
    return `${header}.${payload}.${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`;
  }

  const read = (address: string) =>
    readAuthorization(address, {
      endpoint: `${issuer()}/o/oauth2/v2/auth`,
      client,
      scope: ['openid', 'email'],
    });

  return {
    fetch: async (request) => {
      const fault = faults.shift();
      if (fault === 'error') return Response.json({ error: 'internal_failure' }, { status: 500 });
      if (fault === 'html') return new Response('<h1>Error</h1>', { headers: { 'content-type': 'text/html' } });
      if (fault === 'silence') await new Promise((done) => setTimeout(done, silenceMs).unref());
      return await app.fetch(request);
    },
    allow: (authorizeUrl, person) => {
      const request = read(authorizeUrl);
      if (request.nonce === undefined) throw new Error('The provider refuses: nonce is missing');
      return answerUrl(request, { code: codes.issue(person, request), scope: request.scope.join(' '), iss: issuer() });
    },
    deny: (authorizeUrl) => answerUrl(read(authorizeUrl), { error: 'access_denied', iss: issuer() }),
    tamperNext: (next) => {
      tampering = next;
    },
    failNext: (...next) => void faults.push(...next),
    rotateKey: async () => void keys.unshift(await createKey()),
  };
}

async function createKey(): Promise<Key> {
  const { privateKey, publicKey } = await generateKeyPair('RS256', { extractable: true });
  const kid = randomBytes(20).toString('hex');
  return { kid, privateKey, publicJwk: { ...(await exportJWK(publicKey)), kid, alg: 'RS256', use: 'sig' } };
}
