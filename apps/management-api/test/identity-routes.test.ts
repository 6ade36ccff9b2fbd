import { afterAll, beforeAll, expect, test } from 'vitest';
import { createIdentity } from '../src/identity/providers.ts';
import type { Identity } from '../src/ports/identity.ts';
import { type Edge, failure, location, loopback, pkce, startEdge } from './edge.ts';
import type { IdentityWorld, Visitor } from './identity.suite.ts';
import { clientSecret, type GitHubWorld, type GoogleWorld, startGitHub, startGoogle } from './identity-worlds.ts';

let edge: Edge;
let google: GoogleWorld;
let github: GitHubWorld;
beforeAll(async () => {
  [edge, google, github] = await Promise.all([startEdge(), startGoogle(), startGitHub()]);
  Object.assign(edge.ports.identity, createIdentity({ google: google.identity, github: github.identity }));
});
afterAll(async () => {
  await Promise.all([edge.stop(), google.stop(), github.stop()]);
});

async function begin(provider: string, query: Record<string, string> = {}): Promise<string> {
  const begun = await edge.call(
    `/api/v1/auth/oauth/${provider}?${new URLSearchParams({ redirect_uri: loopback, ...query })}`,
  );
  return ((await begun.json()) as { authorize_url: string }).authorize_url;
}

/** Where the program that began the login is told of its end. */
async function come(returned: string): Promise<URLSearchParams> {
  return new URL(location(await edge.call(returned))).searchParams;
}

async function whoIs(token: string) {
  const me = (await (await edge.call('/api/v1/auth/me', { token })).json()) as { user: { id: string; email: string } };
  return me.user;
}

async function login(world: IdentityWorld, visitor: Visitor) {
  const answer = await come(await world.allow(await begin(world.provider), visitor));
  return await whoIs(answer.get('access_token') ?? '');
}

test('people log in with Google and with GitHub, and the token endpoint gives their token', async () => {
  for (const world of [google, github]) {
    const { verifier, challenge } = pkce();
    const url = await begin(world.provider, {
      state: 'client-state-1',
      code_challenge: challenge,
      code_challenge_method: 'S256',
    });
    const answer = await come(await world.allow(url, { account: 'grace', email: 'grace@example.com' }));
    expect(answer.get('state')).toBe('client-state-1');
    const redeemed = await edge.call('/api/v1/auth/token', {
      method: 'POST',
      json: {
        grant_type: 'authorization_code',
        redirect_uri: loopback,
        code: answer.get('code') ?? '',
        code_verifier: verifier,
      },
    });
    const { access_token: token } = (await redeemed.json()) as { access_token: string };
    expect(await whoIs(token)).toMatchObject({ email: 'grace@example.com' });
  }
});

test('one address at two providers is two people, and an address that changed is one', async () => {
  const email = 'shared@example.com';
  const [one, two] = [
    await login(google, { account: 'shared', email }),
    await login(github, { account: 'shared', email }),
  ];
  expect(two.id).not.toBe(one.id);
  const moved = await login(google, { account: 'shared', email: 'moved@example.com' });
  expect(moved).toEqual({ ...moved, id: one.id, email: 'moved@example.com' });
  // Whoever gets the old address gets nothing of theirs.
  expect((await login(google, { account: 'heir', email })).id).not.toBe(one.id);
});

test('an answer is taken once, and only for the provider and the login that it was for', async () => {
  const visitor = { account: 'eve', email: 'eve@example.com' };
  const returned = await google.allow(await begin('google'), visitor);
  await come(returned);
  expect((await edge.call(returned)).status).toBe(400);

  const crossed = (await google.allow(await begin('google'), visitor)).replace('/google/', '/github/');
  expect((await edge.call(crossed)).status).toBe(400);

  // Eve sends her own code with the state of somebody else's login.
  const victim = new URL(await begin('google')).searchParams.get('state') ?? '';
  const injected = new URL(await google.allow(await begin('google'), visitor));
  injected.searchParams.set('state', victim);
  const answer = await come(injected.href);
  expect(answer.get('error')).toBe('access_denied');
  expect(answer.has('access_token')).toBe(false);
});

test('whoever is refused hears why, in a sentence', async () => {
  const denied = await come(await github.deny(await begin('github')));
  expect(denied.get('error')).toBe('access_denied');
  expect(denied.get('error_description')).toBe('The login was cancelled at GitHub.');
  const url = await begin('google');
  const unverified = await come(google.google.allow(url, { sub: '1', email: 'x@example.com', emailVerified: false }));
  expect(unverified.get('error_description')).toBe('Google has not verified the e-mail address of this account.');
  const returned = await google.allow(await begin('google'), { account: 'ada', email: 'ada@example.com' });
  google.google.failNext('error');
  const away = await come(returned);
  expect(away.get('error')).toBe('temporarily_unavailable');
  expect(away.get('error_description')).toBe('Google does not answer now. Try again in a while.');
});

test('a device is connected by somebody who logs in with a provider', async () => {
  const begun = await edge.call('/api/v1/auth/device', { method: 'POST', json: {} });
  const { user_code: userCode } = (await begun.json()) as { user_code: string };
  const form = { user_code: userCode, provider: 'github' };
  const posted = await edge.call('/device', { method: 'POST', form });
  const returned = await github.allow(location(posted), { account: 'ada', email: 'ada@example.com' });
  const page = await edge.call(returned);
  expect(page.status).toBe(200);
  expect(await page.text()).toContain('ada@example.com');
});

/** What pages show and do while only these providers are set up. */
async function withProviders<T>(identity: Identity, work: () => Promise<T>): Promise<T> {
  const { providers, authorizeUrl, redeem } = edge.ports.identity;
  Object.assign(edge.ports.identity, identity);
  try {
    return await work();
  } finally {
    Object.assign(edge.ports.identity, { providers, authorizeUrl, redeem });
  }
}

const offered = (text: string): (string | undefined)[] =>
  [...text.matchAll(/Continue with (\w+)/g)].map(([, name]) => name);

function formTargets(page: Response): readonly string[] {
  const policy = page.headers.get('content-security-policy') ?? '';
  return /form-action ([^;]*)/.exec(policy)?.[1]?.split(' ').slice(3) ?? [];
}

test('pages offer the providers that are set up, and their forms lead to those and to nobody else', async () => {
  const cases = [
    [createIdentity({ google: google.identity }), ['Google']],
    [createIdentity({ github: github.identity }), ['GitHub']],
    [createIdentity({ github: github.identity, google: google.identity }), ['GitHub', 'Google']],
  ] as const;
  const origins = { GitHub: new URL(await begin('github')).origin, Google: new URL(await begin('google')).origin };
  for (const [identity, names] of cases) {
    await withProviders(identity, async () => {
      const device = await edge.call('/device');
      expect(formTargets(device)).toEqual(names.map((name) => origins[name]));
      expect(offered(await device.text())).toEqual(names);
      expect(offered(await (await edge.call('/oauth/authorize?state=s')).text())).toEqual(names);
    });
  }
});

test('whoever asks for a provider that is not set up gets a page with a sentence, and the way on', async () => {
  await withProviders(createIdentity({ google: google.identity }), async () => {
    const form = { user_code: 'BCDF-GHJK', provider: 'github' };
    const { challenge } = pkce();
    const query = { provider: 'github', state: 'client-state', redirect_uri: loopback, code_challenge: challenge };
    const asked = `/oauth/authorize?${new URLSearchParams(query)}`;
    for (const page of [await edge.call('/device', { method: 'POST', form }), await edge.call(asked)]) {
      expect([page.status, page.headers.get('content-type')]).toEqual([400, 'text/html; charset=UTF-8']);
      const text = await page.clone().text();
      expect(text).toContain('Nobody can log in with GitHub here');
      expect(offered(text)).toEqual(['Google']);
    }
    const text = await (await edge.call(asked)).text();
    const link = (/href="(\?[^"]*)"/.exec(text)?.[1] ?? '').replaceAll('&amp;', '&');
    expect(new URL(location(await edge.call(`/oauth/authorize${link}`))).origin).toBe(
      google.identity.providers[0]?.origin,
    );
  });
});

test('a provider that does not answer is told on the page', async () => {
  const away = google.connect({ issuer: 'http://127.0.0.1:9' });
  await withProviders(createIdentity({ google: away }), async () => {
    const form = { user_code: 'BCDF-GHJK', provider: 'google' };
    const query = {
      provider: 'google',
      redirect_uri: loopback,
      state: 'client-state',
      code_challenge: pkce().challenge,
    };
    for (const page of [
      await edge.call('/device', { method: 'POST', form }),
      await edge.call(`/oauth/authorize?${new URLSearchParams({ ...query, code_challenge_method: 'S256' })}`),
    ]) {
      expect(page.status).toBe(503);
      expect(await page.text()).toContain('Google does not answer now.');
    }
  });
});

test('a provider that is not set up is refused, and nothing secret is in the log', async () => {
  const lonely = createIdentity({ google: google.identity });
  const asked = lonely.authorizeUrl({ provider: 'github', state: 's', redirectUri: loopback });
  await expect(asked).rejects.toMatchObject({ code: 'provider_not_configured', status: 400 });
  const { authorizeUrl } = edge.ports.identity;
  Object.assign(edge.ports.identity, { authorizeUrl: lonely.authorizeUrl });
  const refused = await edge.call(`/api/v1/auth/oauth/github?${new URLSearchParams({ redirect_uri: loopback })}`);
  expect(await failure(refused)).toMatchObject({ status: 400, code: 'provider_not_configured' });
  Object.assign(edge.ports.identity, { authorizeUrl });
  const log = edge.logged.join('');
  for (const secret of [clientSecret, 'ya29.', 'gho_']) expect(log).not.toContain(secret);
});
