import { OciError } from './error.ts';
import { readAll } from './file-read.ts';
import { type FailureContext, networkFailure, responseFailure } from './registry-failure.ts';
import { createTokenCache, type Token } from './token-cache.ts';
import type { Transport, TransportRequest, TransportResponse } from './transport.ts';
import { parseJsonObject } from './wire.ts';

/** What the authentication of one registry is made of. */
export interface RegistryAuthOptions {
  readonly registry: string;
  readonly origin: string;
  readonly username?: string | undefined;
  readonly password?: string | (() => string | Promise<string>) | undefined;
  readonly identityToken?: string | (() => string | Promise<string>) | undefined;
  readonly transport: Transport;
  /** How long the token server may take. */
  readonly idleTimeoutMilliseconds: number;
}

/** Knows what to put in the `Authorization` header; learns it from the registry's challenges. */
export interface RegistryAuth {
  /** The header for requests of this scope, or `undefined` as long as nothing was asked for. */
  header(scope: string | undefined, signal?: AbortSignal): Promise<string | undefined>;
  /** Takes a challenge after `used` was refused; whether another attempt makes sense. */
  learn(challenge: string | null, scope: string | undefined, used: string | undefined): boolean;
  /** Takes the password and the tokens out of a text. */
  redact(text: string): string;
}

interface BearerChallenge {
  readonly scheme: 'bearer';
  readonly realm: URL;
  readonly service: string | undefined;
}

type Challenge = { readonly scheme: 'basic' } | BearerChallenge;

export function createRegistryAuth(options: RegistryAuthOptions): RegistryAuth {
  const { registry, origin, username, password, identityToken } = options;
  const tokens = createTokenCache();
  const secrets = new Set<string>();
  const renewed = new Map<string, string>();
  let challenge: Challenge | undefined;

  const basic = async (): Promise<string | undefined> => {
    if (password === undefined) return undefined;
    const secret = typeof password === 'function' ? await password() : password;
    const encoded = Buffer.from(`${username ?? ''}:${secret}`).toString('base64');
    if (secret !== '') secrets.add(secret).add(encoded);
    return `Basic ${encoded}`;
  };

  const redact = (text: string): string => {
    let redacted = text;
    for (const secret of secrets) redacted = redacted.replaceAll(secret, '[redacted]');
    return redacted;
  };

  /** A token server may give another identity token for the one that it was sent, and then want that one. */
  const renew = async (next: string): Promise<void> => {
    const given = typeof identityToken === 'function' ? await identityToken() : identityToken;
    secrets.add(next);
    if (given !== undefined) renewed.set(given, next);
  };

  /** What is sent to the token server: OAuth's refresh of an identity token, or Docker's own question. */
  const tokenRequest = async (
    realm: URL,
    service: string | undefined,
    scope: string,
  ): Promise<{ readonly url: URL } & Omit<TransportRequest, 'signal'>> => {
    const scopes = scope.split(' ').filter((one) => one !== '');
    if (identityToken !== undefined) {
      const given = typeof identityToken === 'function' ? await identityToken() : identityToken;
      const secret = renewed.get(given) ?? given;
      if (secret !== '') secrets.add(secret).add(encodeURIComponent(secret));
      const form = new URLSearchParams({ grant_type: 'refresh_token', client_id: 'sp-oci', refresh_token: secret });
      if (service !== undefined) form.set('service', service);
      if (scopes.length > 0) form.set('scope', scopes.join(' '));
      const headers = { 'content-type': 'application/x-www-form-urlencoded' };
      return { url: realm, method: 'POST', headers, body: Buffer.from(form.toString()) };
    }
    const url = new URL(realm);
    if (service !== undefined) url.searchParams.set('service', service);
    for (const one of scopes) url.searchParams.append('scope', one);
    if (username !== undefined) url.searchParams.set('account', username);
    const authorization = await basic();
    return { url, method: 'GET', headers: authorization === undefined ? {} : { authorization } };
  };

  const requestToken = async (
    { realm, service }: BearerChallenge,
    scope: string,
    given: AbortSignal,
  ): Promise<Token> => {
    const { url, ...request } = await tokenRequest(realm, service, scope);
    const context: FailureContext = { registry, attempt: 'Cannot get a token', redact };
    let response: TransportResponse;
    let bytes: Uint8Array | undefined;
    try {
      const signal = AbortSignal.any([given, AbortSignal.timeout(options.idleTimeoutMilliseconds)]);
      response = await options.transport(url, { ...request, signal });
      if (response.status === 200 && response.body !== null) bytes = await readAll(response.body, 256 * 1024);
    } catch (error) {
      throw networkFailure(error, context);
    }
    if (response.status !== 200) throw await responseFailure(response, context);
    const json = parseJsonObject(bytes ?? new Uint8Array(0), 'token answer');
    const { refresh_token: next } = json;
    if (identityToken !== undefined && typeof next === 'string' && next !== '') await renew(next);
    const token = json['token'] ?? json['access_token'];
    if (typeof token !== 'string' || token === '') {
      throw new OciError('SP_OCI_REGISTRY', `Cannot get a token at ${registry}: the answer has none`, { registry });
    }
    secrets.add(token);
    const seconds = typeof json['expires_in'] === 'number' ? json['expires_in'] : 60;
    // A little early, so that a token does not expire on its way.
    return { header: `Bearer ${token}`, expiresAt: Date.now() + Math.max(seconds - 5, 1) * 1000 };
  };

  return {
    redact,
    async header(scope, signal) {
      if (challenge === undefined) return undefined;
      if (challenge.scheme === 'basic') return basic();
      const asking = challenge;
      const key = scope ?? '';
      return tokens.header(key, (given) => requestToken(asking, key, given), signal);
    },
    learn(text, scope, used) {
      const parsed = parseChallenge(text);
      if (parsed === undefined) return false;
      if (parsed.scheme === 'bearer' && origin.startsWith('https:') && parsed.realm.protocol !== 'https:') {
        const why = 'its token server is not https';
        throw new OciError('SP_OCI_UNAUTHORIZED', `Cannot log in to ${registry}: ${why}`, { registry, status: 401 });
      }
      if (!isSame(parsed, challenge)) tokens.clear();
      challenge = parsed;
      tokens.refuse(scope ?? '', used);
      // The same Basic credentials would be refused again; a token may only have expired.
      return parsed.scheme === 'bearer' || (used === undefined && password !== undefined);
    },
  };
}

function parseChallenge(text: string | null): Challenge | undefined {
  const bearer = /\bBearer\s+(.*)$/i.exec(text ?? '')?.[1];
  if (bearer === undefined) return /\bBasic\b/i.test(text ?? '') ? { scheme: 'basic' } : undefined;
  const parameter = (name: string): string | undefined =>
    new RegExp(`(?:^|[\\s,])${name}="((?:[^"\\\\]|\\\\.)*)"`, 'i').exec(bearer)?.[1]?.replace(/\\(.)/g, '$1');
  const realm = parameter('realm');
  if (realm === undefined || !URL.canParse(realm)) return undefined;
  const url = new URL(realm);
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return undefined;
  return { scheme: 'bearer', realm: url, service: parameter('service') };
}

/** Whether both mean the same token server; a token of another one would be refused. */
function isSame(one: Challenge, other: Challenge | undefined): boolean {
  if (one.scheme === 'basic' || other?.scheme !== 'bearer') return one.scheme === other?.scheme;
  return one.realm.href === other.realm.href && one.service === other.service;
}
