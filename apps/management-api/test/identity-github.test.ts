import { inspect } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ada, begin, finish, identitySuite, refusal } from './identity.suite.ts';
import { clientSecret, type GitHubWorld, startGitHub } from './identity-worlds.ts';

identitySuite('github', startGitHub);

let world: GitHubWorld;
beforeAll(async () => {
  world = await startGitHub();
});
afterAll(() => world.stop());

const address = (email: string, facts: Partial<{ primary: boolean; verified: boolean }> = {}) => ({
  email,
  primary: false,
  verified: false,
  ...facts,
});

async function loginWith(emails: readonly ReturnType<typeof address>[], login = 'ada') {
  const { state, url } = await begin(world);
  return await finish(world, world.github.allow(url, { id: 7, login, emails }), { state });
}

test('the address is the primary one, when it is verified, wherever it stands', async () => {
  const emails = [
    address('spare@example.com', { verified: true }),
    address('me@example.com', { primary: true, verified: true }),
  ];
  expect(await loginWith(emails)).toEqual({ subject: '7', email: 'me@example.com', name: 'ada' });
});

test.each([
  [
    'is not verified',
    [address('victim@example.com', { primary: true }), address('spare@example.com', { verified: true })],
  ],
  ['is missing', [address('spare@example.com', { verified: true })]],
  ['does not exist', []],
])('a primary address that %s is none', async (_, emails) => {
  expect(await refusal(loginWith(emails))).toMatch(/not verified/);
});

test('a login and an address that have changed hands are another person', async () => {
  const { state, url } = await begin(world);
  const emails = [address('me@example.com', { primary: true, verified: true })];
  const other = await finish(world, world.github.allow(url, { id: 8, login: 'ada', emails }), { state });
  expect(other.subject).not.toBe((await loginWith(emails)).subject);
  // And somebody who changed both is the same.
  const moved = await loginWith([address('new@example.com', { primary: true, verified: true })], 'ada-2');
  expect(moved).toMatchObject({ subject: '7', email: 'new@example.com' });
});

test.each([
  ['the token endpoint', 0, 'error'],
  ['the token endpoint', 0, 'html'],
  ['the token endpoint', 0, 'silence'],
  ['the API', 1, 'error'],
  ['the API', 1, 'silence'],
] as const)('%s (%i) with the fault "%s" is a named error without secrets', async (_, before, fault) => {
  const identity = world.connect({ timeoutMs: fault === 'silence' ? 1000 : 60_000 });
  const { state, url } = await begin(world, identity);
  const returned = await world.allow(url, ada);
  world.github.failNext(...Array.from({ length: before }, () => 'none' as const), fault);
  const error = await finish(world, returned, { state, identity }).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: 'SP_IDENTITY_UNAVAILABLE', provider: 'GitHub' });
  const sent = new URL(returned).searchParams.get('code') ?? '';
  for (const secret of [sent, clientSecret, state]) expect(inspect(error, { depth: 9 })).not.toContain(secret);
});

test('a client secret that is not good is our failure and not the person’s', async () => {
  const identity = world.connect({ clientSecret: 'wrong_canary' });
  const { state, url } = await begin(world, identity);
  const error = await finish(world, await world.allow(url, ada), { state, identity }).catch(
    (thrown: unknown) => thrown,
  );
  expect(error).toMatchObject({ code: 'SP_IDENTITY_CLIENT' });
  expect(inspect(error, { depth: 9 })).not.toContain('canary');
});

test('a server that is not there is a named error', async () => {
  const identity = world.connect({ webUrl: 'http://127.0.0.1:9' });
  const { state } = await begin(world, identity);
  const returned = `${world.redirectUri}?${new URLSearchParams({ code: 'x', state })}`;
  await expect(finish(world, returned, { state, identity })).rejects.toMatchObject({ code: 'SP_IDENTITY_UNAVAILABLE' });
});
