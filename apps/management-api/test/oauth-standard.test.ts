import { afterAll, beforeAll, expect, test } from 'vitest';
import { baseUrl, type Edge, location, loopback, pkce, startEdge } from './edge.ts';
import { logIn, statusWith } from './login-tokens.ts';

let edge: Edge;
let metadata: Record<string, string>;
beforeAll(async () => {
  edge = await startEdge();
  const response = await edge.call('/.well-known/oauth-authorization-server');
  metadata = (await response.json()) as Record<string, string>;
});
afterAll(() => edge.stop());

function post(endpoint: string, form: Record<string, string>): Promise<Response> {
  return edge.call(metadata[endpoint] ?? '', { method: 'POST', form });
}

test('the metadata names what is there', () => {
  expect(metadata).toMatchObject({
    issuer: baseUrl,
    response_types_supported: ['code'],
    code_challenge_methods_supported: ['S256'],
    token_endpoint_auth_methods_supported: ['none'],
  });
});

test('a program that knows only OAuth logs in, refreshes and revokes', async () => {
  const { verifier, challenge } = pkce();
  const query = new URLSearchParams({
    response_type: 'code',
    client_id: 'anything',
    redirect_uri: loopback,
    state: 'client-state',
    scope: 'openid offline_access',
    code_challenge: challenge,
    code_challenge_method: 'S256',
  });
  const page = await (await edge.call(`${metadata['authorization_endpoint']}?${query}`)).text();
  const link = (/href="(\?[^"]*provider=github)"/.exec(page)?.[1] ?? '').replaceAll('&amp;', '&');
  const begun = await edge.call(`${metadata['authorization_endpoint']}${link}`);
  const login = new URL(location(begun)).searchParams;
  const form = { ...Object.fromEntries(login), action: 'continue', email: 'ada@example.com' };
  const back = new URL(
    location(await edge.call(location(await edge.call('/sandbox/identity', { method: 'POST', form })))),
  );
  expect(back.searchParams.get('iss')).toBe(metadata['issuer']);

  const code = back.searchParams.get('code') ?? '';
  const first = await post('token_endpoint', {
    grant_type: 'authorization_code',
    client_id: 'anything',
    code,
    code_verifier: verifier,
    redirect_uri: loopback,
  });
  expect(first.status).toBe(200);
  expect(first.headers.get('cache-control')).toBe('no-store');
  const tokens = (await first.json()) as Record<string, string>;
  const second = await post('token_endpoint', {
    grant_type: 'refresh_token',
    refresh_token: tokens['refresh_token'] ?? '',
  });
  const next = (await second.json()) as Record<string, string>;
  expect(await statusWith(edge, next['access_token'] ?? '')).toBe(200);
  const revoked = await post('revocation_endpoint', { token: next['refresh_token'] ?? '', token_type_hint: 'x' });
  expect(revoked.status).toBe(200);
  expect(await statusWith(edge, next['access_token'] ?? '')).toBe(401);
});

test('errors have the form of OAuth', async () => {
  const refused = await post('token_endpoint', { grant_type: 'refresh_token', refresh_token: 'made-up' });
  expect(refused.status).toBe(400);
  expect(await refused.json()).toMatchObject({ error: 'invalid_grant', error_description: expect.any(String) });
  const device = (await (await post('device_authorization_endpoint', { client_id: 'x' })).json()) as {
    device_code: string;
  };
  const pending = await post('token_endpoint', {
    grant_type: 'urn:ietf:params:oauth:grant-type:device_code',
    device_code: device.device_code,
  });
  expect(await pending.json()).toMatchObject({ error: 'authorization_pending' });
  const unknown = await post('token_endpoint', { grant_type: 'password', username: 'x', password: 'y' });
  expect(await unknown.json()).toMatchObject({ error: 'unsupported_grant_type' });
});

test('a login that does not hold its rules begins nowhere', async () => {
  const { challenge } = pkce();
  const good = { redirect_uri: loopback, state: 'client-state', code_challenge: challenge, provider: 'github' };
  for (const wrong of [
    { redirect_uri: 'https://evil.example/' },
    { code_challenge: 'short' },
    { code_challenge: '' },
  ]) {
    const query = new URLSearchParams({ ...good, ...wrong });
    const response = await edge.call(`${metadata['authorization_endpoint']}?${query}`);
    expect(response.status).toBe(400);
    expect(response.headers.get('location')).toBeNull();
  }
});

test('a signing key is replaced without anybody being logged out', async () => {
  const before = await logIn(edge);
  const kidOf = (token: string) =>
    (JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString()) as { kid: string }).kid;
  const published = async () => {
    const response = await edge.call('/.well-known/jwks.json');
    return ((await response.json()) as { keys: { kid: string }[] }).keys.map(({ kid }) => kid);
  };
  const kid = await edge.tokens.rotate();
  expect((await published()).sort()).toEqual([kid, kidOf(before.access_token)].sort());
  // Published first, used when everybody had the time to learn of it.
  expect(kidOf((await logIn(edge)).access_token)).toBe(kidOf(before.access_token));
  await edge.store.pool.query("update signing_keys set created_at = created_at - interval '11 minutes'");
  await edge.tokens.rotate();
  expect(kidOf((await logIn(edge)).access_token)).toBe(kid);
  expect(await statusWith(edge, before.access_token)).toBe(200);

  await edge.store.pool.query('update signing_keys set retired_at = now() where kid = $1', [
    kidOf(before.access_token),
  ]);
  await edge.tokens.rotate();
  // A token that was good a moment ago is not looked at again for two seconds.
  await expect.poll(() => statusWith(edge, before.access_token)).toBe(401);
  expect(await published()).not.toContain(kidOf(before.access_token));
});
