import { randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import type { OAuthProvider } from '@sp/cloud-api/contract';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { isIdentityRefused } from '../src/identity/identity-refused.ts';
import type { Identity, VerifiedPerson } from '../src/ports/identity.ts';

/** Somebody at a provider's page. */
export interface Visitor {
  /** What the provider knows them by. The sandbox knows people by their e-mail address. */
  readonly account: string;
  readonly email: string;
  readonly name?: string;
}

/** A provider, with the people at its pages. */
export interface IdentityWorld {
  readonly provider: OAuthProvider;
  readonly identity: Identity;
  readonly redirectUri: string;
  /** Somebody allows the login; the address that their browser is sent to. */
  allow(authorizeUrl: string, visitor: Visitor): Promise<string>;
  deny(authorizeUrl: string): Promise<string>;
  stop(): Promise<void>;
}

export const ada: Visitor = { account: 'ada', email: 'ada@example.com', name: 'Ada Lovelace' };
export const eve: Visitor = { account: 'eve', email: 'eve@example.com' };

export const newState = (): string => randomBytes(32).toString('base64url');

/** Begins a login. */
export async function begin(world: IdentityWorld, identity = world.identity): Promise<{ state: string; url: string }> {
  const { provider, redirectUri } = world;
  const state = newState();
  return { state, url: await identity.authorizeUrl({ provider, state, redirectUri }) };
}

/** Ends a login with what the browser came back with. */
export function finish(
  world: IdentityWorld,
  returned: string,
  options: { readonly state: string; readonly identity?: Identity; readonly signal?: AbortSignal },
): Promise<VerifiedPerson> {
  const { state, identity = world.identity, signal } = options;
  const answer = new URL(returned).searchParams;
  const { provider, redirectUri } = world;
  return identity.redeem({ provider, answer, state, redirectUri, signal });
}

/** The refusal of a login. */
export async function refusal(login: Promise<VerifiedPerson>): Promise<string> {
  const error = await login.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!isIdentityRefused(error)) throw error ?? new Error('the login was not refused');
  return error.message;
}

/** What every identity driver does. */
export function identitySuite(name: string, start: () => Promise<IdentityWorld>): void {
  let world: IdentityWorld;
  beforeAll(async () => {
    world = await start();
  });
  afterAll(() => world.stop());

  async function login(visitor: Visitor): Promise<VerifiedPerson> {
    const { state, url } = await begin(world);
    return await finish(world, await world.allow(url, visitor), { state });
  }

  test(`${name}: whoever logs in is who they are, each time`, async () => {
    const first = await login(ada);
    expect(first).toMatchObject({ email: ada.email, name: ada.name, subject: expect.stringMatching(/./) as string });
    expect(await login(ada)).toEqual(first);
    expect((await login(eve)).subject).not.toBe(first.subject);
  });

  test(`${name}: the page gets nothing that is secret`, async () => {
    const { state, url } = await begin(world);
    const query = new URL(url).searchParams;
    expect(query.get('state')).toBe(state);
    expect(query.get('redirect_uri')).toBe(world.redirectUri);
    expect(url).not.toContain('canary');
    expect(query.has('code_verifier')).toBe(false);
  });

  test(`${name}: whoever says no is not logged in, and is told so`, async () => {
    const { state, url } = await begin(world);
    expect(await refusal(finish(world, await world.deny(url), { state }))).toMatch(/cancelled/);
  });

  test(`${name}: a code works once`, async () => {
    const { state, url } = await begin(world);
    const returned = await world.allow(url, ada);
    await finish(world, returned, { state });
    expect(await refusal(finish(world, returned, { state }))).toMatch(/took too long, or was used already/);
  });

  test(`${name}: two at once with one code: one is logged in`, async () => {
    const { state, url } = await begin(world);
    const returned = await world.allow(url, ada);
    const both = await Promise.allSettled([1, 2].map(() => finish(world, returned, { state })));
    expect(both.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  test(`${name}: a code that somebody else got is not taken for one's own`, async () => {
    const [own, others] = [await begin(world), await begin(world)];
    const returned = new URL(await world.allow(others.url, eve));
    returned.searchParams.set('state', own.state);
    expect(await refusal(finish(world, returned.href, { state: own.state }))).not.toBe('');
  });

  test(`${name}: an answer to another login is refused`, async () => {
    const { url } = await begin(world);
    expect(await refusal(finish(world, await world.allow(url, ada), { state: newState() }))).not.toBe('');
  });

  test(`${name}: a code for another address is refused`, async () => {
    const { state, url } = await begin(world);
    const moved = { ...world, redirectUri: `${world.redirectUri}/elsewhere` };
    expect(await refusal(finish(moved, await world.allow(url, ada), { state }))).not.toBe('');
  });

  test.each([
    ['nothing', {}],
    ['a code that was made up', { code: 'made-up-code-canary' }],
    ['an error that nobody knows', { error: 'weird', error_description: 'canary' }],
  ])(`${name}: %s is refused, and nothing of it is said`, async (_, query) => {
    const { state } = await begin(world);
    const returned = `${world.redirectUri}?${new URLSearchParams({ ...query, state })}`;
    const error = await finish(world, returned, { state }).catch((thrown: unknown) => thrown);
    expect(isIdentityRefused(error)).toBe(true);
    expect(inspect(error, { depth: 9 })).not.toContain('canary');
  });
}
