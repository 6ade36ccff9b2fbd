import { afterAll, beforeAll, expect, test } from 'vitest';
import { baseUrl, type Edge, failure, location, loopback, pkce, startEdge } from './edge.ts';

let edge: Edge;
beforeAll(async () => {
  edge = await startEdge();
});
afterAll(() => edge.stop());

const state = 'client-state-1';

async function codeLogin(): Promise<{ code: string; verifier: string; returned: URL }> {
  const { verifier, challenge } = pkce();
  const returned = await edge.browse({ state, code_challenge: challenge, code_challenge_method: 'S256' });
  return { code: returned.searchParams.get('code') ?? '', verifier, returned };
}

function redeem(body: Record<string, string>): Promise<Response> {
  const defaults = { grant_type: 'authorization_code', redirect_uri: loopback };
  return edge.call('/api/v1/auth/token', { method: 'POST', json: { ...defaults, ...body } });
}

test('a login with code and PKCE ends with a token that the API accepts', async () => {
  const { code, verifier, returned } = await codeLogin();
  expect(`${returned.origin}${returned.pathname}`).toBe(loopback);
  expect(returned.searchParams.get('state')).toBe(state);
  expect(returned.searchParams.get('iss')).toBe(baseUrl);
  expect(returned.searchParams.has('access_token')).toBe(false);

  const response = await redeem({ code, code_verifier: verifier });
  expect(response.status).toBe(200);
  expect(response.headers.get('cache-control')).toBe('no-store');
  const token = (await response.json()) as Record<string, string>;
  expect(token).toMatchObject({ token_type: 'Bearer', expires_in: 2_592_000 });
  const me = await edge.call('/api/v1/auth/me', { token: token['access_token'] ?? '' });
  expect(await me.json()).toMatchObject({ user: { email: 'ada@example.com', name: 'Ada' }, tenants: [] });
});

test('the token endpoint takes forms as RFC 6749 has them, with members that it does not know', async () => {
  const { code, verifier } = await codeLogin();
  const response = await edge.call('/api/v1/auth/token', {
    method: 'POST',
    form: {
      grant_type: 'authorization_code',
      code,
      code_verifier: verifier,
      redirect_uri: loopback,
      client_id: 'systemprompt-cli',
    },
  });
  expect(response.status).toBe(200);
});

test('a code works once', async () => {
  const { code, verifier } = await codeLogin();
  expect((await redeem({ code, code_verifier: verifier })).status).toBe(200);
  expect(await failure(await redeem({ code, code_verifier: verifier }))).toMatchObject({
    status: 400,
    code: 'invalid_grant',
  });
});

test('two at once with the same code: one gets a token', async () => {
  const { code, verifier } = await codeLogin();
  const answers = await Promise.all([1, 2, 3].map(() => redeem({ code, code_verifier: verifier })));
  expect(answers.map(({ status }) => status).sort((a, b) => a - b)).toEqual([200, 400, 400]);
});

test.each([
  ['a wrong verifier', { code_verifier: pkce().verifier }],
  ['another redirect address', { redirect_uri: 'http://127.0.0.1:45679/callback' }],
])('%s is refused and spends the code', async (_, wrong) => {
  const { code, verifier } = await codeLogin();
  const refused = await redeem({ code, code_verifier: verifier, ...wrong });
  expect(await failure(refused)).toMatchObject({ status: 400, code: 'invalid_grant' });
  expect((await redeem({ code, code_verifier: verifier })).status).toBe(400);
});

test('a code that is too old is refused', async () => {
  const { code, verifier } = await codeLogin();
  await edge.store.pool.query("update authorization_codes set expires_at = now() - interval '1 second'");
  expect(await failure(await redeem({ code, code_verifier: verifier }))).toMatchObject({ code: 'invalid_grant' });
});

test('a program of the predecessor gets the token in the redirect', async () => {
  const returned = await edge.browse({});
  expect([...returned.searchParams.keys()]).toEqual(['access_token']);
  const me = await edge.call('/api/v1/auth/me', { token: returned.searchParams.get('access_token') ?? '' });
  expect(me.status).toBe(200);
});

test('the same e-mail address is the same person, in any case', async () => {
  const first = await edge.login('grace@example.com');
  const second = await edge.login('Grace@Example.com');
  expect(second.userId).toBe(first.userId);
  expect((await edge.login('hopper@example.com')).userId).not.toBe(first.userId);
});

test('first logins of one person at once make one user', async () => {
  const logins = await Promise.all([1, 2, 3, 4].map(() => edge.login('once@example.com')));
  expect(new Set(logins.map(({ userId }) => userId)).size).toBe(1);
});

test.each([
  'https://evil.example/callback',
  'http://evil.example:45678/callback',
  'http://127.0.0.1.evil.example/callback',
  'http://127.0.0.1@evil.example/callback',
  'http://user:pass@127.0.0.1:45678/callback',
  'http://127.0.0.1:45678/callback#fragment',
  'javascript:alert(1)',
])('a login never returns to %s', async (uri) => {
  const response = await edge.call(`/api/v1/auth/oauth/github?redirect_uri=${encodeURIComponent(uri)}`);
  expect(await failure(response)).toMatchObject({ status: 400, code: 'invalid_redirect_uri' });
});

test.each(['http://[::1]:45678/callback', 'http://localhost:45678/callback'])(
  'a login may return to %s',
  async (uri) => {
    const response = await edge.call(`/api/v1/auth/oauth/google?redirect_uri=${encodeURIComponent(uri)}`);
    expect(response.status).toBe(200);
  },
);

test('a provider that is not known is refused', async () => {
  const response = await edge.call(`/api/v1/auth/oauth/myspace?redirect_uri=${encodeURIComponent(loopback)}`);
  expect(await failure(response)).toMatchObject({ status: 400, code: 'invalid_request' });
});

async function beginLogin(): Promise<URLSearchParams> {
  const query = new URLSearchParams({ redirect_uri: loopback, state });
  const begun = await edge.call(`/api/v1/auth/oauth/github?${query}`);
  const { authorize_url: url } = (await begun.json()) as { authorize_url: string };
  return new URL(url).searchParams;
}

test('a callback that was answered already, or belongs to no login, is refused with a page', async () => {
  const login = await beginLogin();
  const form = { ...Object.fromEntries(login), action: 'continue', email: 'ada@example.com' };
  const callback = location(await edge.call('/sandbox/identity', { method: 'POST', form }));
  expect((await edge.call(callback)).status).toBe(302);
  for (const url of [callback, `${baseUrl}/api/v1/auth/oauth/github/callback?code=x&state=unknown`]) {
    const refused = await edge.call(url);
    expect(refused.status).toBe(400);
    expect(refused.headers.get('content-type')).toContain('text/html');
    expect(refused.headers.get('location')).toBeNull();
  }
});

test('a callback for another provider than the login began with is refused', async () => {
  const login = await beginLogin();
  const refused = await edge.call(`/api/v1/auth/oauth/google/callback?code=x&state=${login.get('state')}`);
  expect(refused.status).toBe(400);
});

test('a code that the provider did not give makes no user and says so', async () => {
  const login = await beginLogin();
  const answer = await edge.call(`/api/v1/auth/oauth/github/callback?code=forged&state=${login.get('state')}`);
  const returned = new URL(location(answer)).searchParams;
  expect(Object.fromEntries(returned)).toMatchObject({ error: 'access_denied', state, iss: baseUrl });
  expect(returned.has('code')).toBe(false);
});

test('cancelling returns to the program with the reason', async () => {
  const login = await beginLogin();
  const form = { ...Object.fromEntries(login), action: 'cancel' };
  const callback = location(await edge.call('/sandbox/identity', { method: 'POST', form }));
  const returned = new URL(location(await edge.call(callback)));
  expect(returned.origin).toBe('http://127.0.0.1:45678');
  expect(returned.searchParams.get('error')).toBe('access_denied');
  expect(returned.searchParams.get('error_description')).toBe('The login was cancelled.');
});

test('the sandbox page is a form for this login, escaped and without scripts', async () => {
  const login = await beginLogin();
  const page = await edge.call(`/sandbox/identity?${login}`);
  const text = await page.text();
  expect(page.headers.get('content-security-policy')).toContain("default-src 'none'");
  expect(text).toContain('<label for="email">');
  expect(text).not.toContain('<script');

  const form = { ...Object.fromEntries(login), action: 'continue', name: '"><b>x</b>', email: 'no address' };
  const again = await edge.call('/sandbox/identity', { method: 'POST', form });
  expect(again.status).toBe(400);
  const retry = await again.text();
  expect(retry).toContain('&quot;&gt;&lt;b&gt;x&lt;/b&gt;');
  expect(retry).not.toContain('<b>x');
});

test('the sandbox page sends codes to our own callback only', async () => {
  const login = await beginLogin();
  login.set('redirect_uri', loopback);
  expect((await edge.call(`/sandbox/identity?${login}`)).status).toBe(400);
  const form = { ...Object.fromEntries(login), action: 'continue', email: 'ada@example.com' };
  expect((await edge.call('/sandbox/identity', { method: 'POST', form })).headers.get('location')).toBeNull();
});

test('no token, code or state is in the log', async () => {
  const { code, verifier } = await codeLogin();
  const token = (await (await redeem({ code, code_verifier: verifier })).json()) as { access_token: string };
  await edge.call('/api/v1/auth/me', { token: token.access_token });
  const log = edge.logged.join('');
  expect(log).toContain('/api/v1/auth/me');
  for (const secret of [code, verifier, token.access_token, state]) expect(log).not.toContain(secret);
});

test('characters that a database cannot keep are refused, not failed over', async () => {
  const query = new URLSearchParams({
    redirect_uri: loopback,
    state: 'client\0state',
    code_challenge: pkce().challenge,
  });
  expect((await edge.call(`/api/v1/auth/oauth/github?${query}`)).status).toBe(400);
  expect((await edge.call(`/oauth/authorize?provider=github&${query}`)).status).toBe(400);
  const uri = new URLSearchParams({ redirect_uri: `${loopback}\0`, state });
  expect((await edge.call(`/api/v1/auth/oauth/github?${uri}`)).status).toBe(400);
  const login = Object.fromEntries(await beginLogin());
  for (const person of [{ email: 'a\0@example.com' }, { email: 'ada@example.com', name: 'a\0' }]) {
    const form = { ...login, action: 'continue', ...person };
    const posted = await edge.call('/sandbox/identity', { method: 'POST', form });
    expect([302, 400]).toContain(posted.status);
    if (posted.status === 302) expect(location(await edge.call(location(posted)))).not.toContain('server_error');
  }
  expect((await edge.call('/api/v1/auth/oauth/github/callback?code=x&state=%00')).status).toBe(400);
  expect((await edge.call('/device', { method: 'POST', form: { user_code: '\0', ticket: '\0.\0.\0' } })).status).toBe(
    400,
  );
});
