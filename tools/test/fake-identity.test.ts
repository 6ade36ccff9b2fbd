import { createHash, randomBytes } from 'node:crypto';
import { createRemoteJWKSet, customFetch, jwtVerify } from 'jose';
import { expect, test } from 'vitest';
import { createFakeGitHub } from '../src/fake-identity/fake-github.ts';
import { createFakeGoogle } from '../src/fake-identity/fake-google.ts';

const address = 'https://provider.example';
const client = { clientId: 'client', clientSecret: 'secret', redirectUri: 'https://api.example/callback' };
const verifier = randomBytes(32).toString('base64url');

const query = {
  client_id: client.clientId,
  redirect_uri: client.redirectUri,
  response_type: 'code',
  scope: 'openid email user:email',
  state: 'state',
  nonce: 'nonce',
  code_challenge: createHash('sha256').update(verifier).digest('base64url'),
  code_challenge_method: 'S256',
};

const page = (endpoint: string, more: Record<string, string> = {}): string =>
  `${address}${endpoint}?${new URLSearchParams({ ...query, ...more })}`;

function redeem(
  provider: { fetch(request: Request): Promise<Response> },
  endpoint: string,
  returned: string,
  more: Record<string, string> = {},
): Promise<Response> {
  const body = new URLSearchParams({
    grant_type: 'authorization_code',
    client_id: client.clientId,
    client_secret: client.clientSecret,
    redirect_uri: client.redirectUri,
    code: new URL(returned).searchParams.get('code') ?? '',
    code_verifier: verifier,
    ...more,
  });
  const headers = { accept: 'application/json' };
  return provider.fetch(new Request(`${address}${endpoint}`, { method: 'POST', headers, body }));
}

const ada = { sub: '1', email: 'ada@example.com' };
const google = () => createFakeGoogle({ issuer: () => address, client });
const googlePage = '/o/oauth2/v2/auth';

test.each([
  ['client_id', 'other'],
  ['redirect_uri', 'https://evil.example/'],
  ['response_type', 'token'],
  ['code_challenge', ''],
  ['code_challenge_method', 'plain'],
  ['state', ''],
  ['scope', 'profile'],
  ['client_secret', 'secret'],
])('a page with another %s shows an error', async (name, value) => {
  const provider = await google();
  expect(() => provider.allow(page(googlePage, { [name]: value }), ada)).toThrow(/The provider refuses/);
});

test('an ID token is signed with a published key', async () => {
  const provider = await google();
  const answer = await redeem(provider, '/token', provider.allow(page(googlePage), ada));
  const { id_token: token } = (await answer.json()) as { id_token: string };
  const keys = createRemoteJWKSet(new URL(`${address}/oauth2/v3/certs`), {
    [customFetch]: (url: string) => provider.fetch(new Request(url)),
  });
  const { payload } = await jwtVerify(token, keys, { issuer: address, audience: client.clientId });
  expect(payload).toMatchObject({ ...ada, nonce: 'nonce', email_verified: true });
});

test.each([
  ['code_verifier', 'other', 'invalid_grant'],
  ['redirect_uri', 'https://api.example/other', 'invalid_grant'],
  ['client_secret', 'other', 'invalid_client'],
  ['code', 'other', 'invalid_grant'],
])('a token request with another %s is refused', async (name, value, error) => {
  const provider = await google();
  const returned = provider.allow(page(googlePage), ada);
  expect(await (await redeem(provider, '/token', returned, { [name]: value })).json()).toMatchObject({ error });
});

test('GitHub refuses with 200, and a code works once', async () => {
  const provider = createFakeGitHub({ webUrl: () => address, client });
  const person = { id: 1, login: 'ada', emails: [] };
  const returned = provider.allow(page('/login/oauth/authorize'), person);
  const endpoint = '/login/oauth/access_token';
  const { access_token: token } = (await (await redeem(provider, endpoint, returned)).json()) as {
    access_token: string;
  };
  const again = await redeem(provider, endpoint, returned);
  expect([again.status, await again.json()]).toMatchObject([200, { error: 'bad_verification_code' }]);
  const ask = (headers: Record<string, string>) => provider.fetch(new Request(`${address}/user`, { headers }));
  expect((await ask({ authorization: `Bearer ${token}`, 'user-agent': 'test' })).status).toBe(200);
  expect((await ask({ 'user-agent': 'test' })).status).toBe(401);
});
