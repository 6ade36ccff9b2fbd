import { inspect } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ada, begin, finish, identitySuite, refusal } from './identity.suite.ts';
import { clientSecret, type GoogleWorld, startGoogle } from './identity-worlds.ts';

identitySuite('google', startGoogle);

let world: GoogleWorld;
beforeAll(async () => {
  world = await startGoogle();
});
afterAll(() => world.stop());

test.each(['audience', 'issuer', 'nonce', 'no-nonce', 'none', 'signature', 'symmetric', 'expired', 'no-token'])(
  'an ID token with a wrong %s proves nothing',
  async (tampering) => {
    const { state, url } = await begin(world);
    const returned = await world.allow(url, ada);
    world.google.tamperNext(tampering);
    expect(await refusal(finish(world, returned, { state }))).toBe('What Google answered could not be verified.');
  },
);

test.each([false, 'true', 'false'])('an address whose verification is %j is not verified', async (emailVerified) => {
  const { state, url } = await begin(world);
  const returned = world.google.allow(url, { sub: '1', email: 'ceo@example.com', emailVerified });
  expect(await refusal(finish(world, returned, { state }))).toMatch(/not verified/);
});

test('an account without an address is refused', async () => {
  const { state, url } = await begin(world);
  const returned = await world.allow(url, ada);
  world.google.tamperNext('no-email');
  expect(await refusal(finish(world, returned, { state }))).toMatch(/not verified/);
});

test('an answer in the name of another provider is refused', async () => {
  const { state, url } = await begin(world);
  const returned = new URL(await world.allow(url, ada));
  returned.searchParams.set('iss', 'https://accounts.example');
  await refusal(finish(world, returned.href, { state }));
  const twice = new URL(await world.allow((await begin(world)).url, ada));
  twice.searchParams.append('code', 'another');
  await refusal(finish(world, twice.href, { state: twice.searchParams.get('state') ?? '' }));
});

test('a person who changed their address is the same person', async () => {
  const subjects: string[] = [];
  for (const email of ['old@example.com', 'new@example.com']) {
    const { state, url } = await begin(world);
    const person = await finish(world, await world.allow(url, { account: 'moved', email }), { state });
    expect(person.email).toBe(email);
    subjects.push(person.subject);
  }
  expect(subjects[0]).toBe(subjects[1]);
});

test('a key of Google’s that is new is as good as the one before', async () => {
  const login = async (identity = world.connect()) => {
    const { state, url } = await begin(world, identity);
    return await finish(world, await world.allow(url, ada), { state, identity });
  };
  await login();
  await world.google.rotateKey();
  await login();
});

test('what Google says about itself is asked for once, and again after a failure', async () => {
  world.google.failNext('error');
  const identity = world.connect();
  await expect(begin(world, identity)).rejects.toMatchObject({ code: 'SP_IDENTITY_UNAVAILABLE' });
  await begin(world, identity);
  world.google.failNext('error');
  await begin(world, identity);
  // The fault is still to come.
  await expect(begin(world, world.connect())).rejects.toMatchObject({ code: 'SP_IDENTITY_UNAVAILABLE' });
});

test.each([
  ['error', 'SP_IDENTITY_UNAVAILABLE'],
  ['html', 'SP_IDENTITY_UNAVAILABLE'],
  ['silence', 'SP_IDENTITY_UNAVAILABLE'],
] as const)('a token endpoint with the fault "%s" is a named error without secrets', async (fault, code) => {
  const identity = world.connect({ timeoutMs: fault === 'silence' ? 1000 : 60_000 });
  const { state, url } = await begin(world, identity);
  const returned = await world.allow(url, ada);
  world.google.failNext(fault);
  const error = await finish(world, returned, { state, identity }).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code, provider: 'Google' });
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

test('nobody waits for a person who went away', async () => {
  const { state, url } = await begin(world);
  const returned = await world.allow(url, ada);
  world.google.failNext('silence');
  const controller = new AbortController();
  const login = finish(world, returned, { state, signal: controller.signal });
  controller.abort(new Error('gone'));
  await expect(login).rejects.toThrow('gone');
});
