import { createHash, randomBytes } from 'node:crypto';
import { createGitHubIdentity, type GitHubIdentityOptions } from '../src/identity/github.ts';
import { createGoogleIdentity, type GoogleIdentityOptions } from '../src/identity/google.ts';
import { createSandboxIdentity } from '../src/identity/sandbox.ts';
import { createVault } from '../src/vault/file-vault.ts';
import { baseUrl, location } from './edge.ts';
import { createFakeGitHub, createFakeGoogle, type FakeGitHub, type FakeGoogle } from './fake-identity.ts';
import type { IdentityWorld } from './identity.suite.ts';
import { serveHandler } from './serve.ts';

export const clientSecret = 'client_secret_canary_4711';

const vault = createVault(randomBytes(32));
const redirectTo = (provider: string): string => `${baseUrl}/api/v1/auth/oauth/${provider}/callback`;

/** A number of an account, from what a test calls the person. */
export function accountNumber(account: string): number {
  return createHash('sha256').update(account).digest().readUInt32BE();
}

export type GoogleWorld = IdentityWorld & {
  readonly google: FakeGoogle;
  connect(options?: Partial<GoogleIdentityOptions>): IdentityWorld['identity'];
};

export type GitHubWorld = IdentityWorld & {
  readonly github: FakeGitHub;
  connect(options?: Partial<GitHubIdentityOptions>): IdentityWorld['identity'];
};

export async function startGoogle(): Promise<GoogleWorld> {
  const redirectUri = redirectTo('google');
  const client = { clientId: 'google-client', clientSecret, redirectUri };
  let address = '';
  const google = await createFakeGoogle({ issuer: () => address, client, silenceMs: 30_000 });
  const server = await serveHandler((request) => google.fetch(request));
  address = `http://${server.host}`;
  const connect: GoogleWorld['connect'] = (options = {}) =>
    createGoogleIdentity({ clientId: client.clientId, clientSecret, vault, issuer: address, ...options });
  return {
    provider: 'google',
    redirectUri,
    identity: connect(),
    google,
    connect,
    allow: async (url, { account, email, name }) =>
      google.allow(url, { sub: String(accountNumber(account)), email, ...(name === undefined ? {} : { name }) }),
    deny: async (url) => google.deny(url),
    stop: async () => {
      await server[Symbol.asyncDispose]();
    },
  };
}

export async function startGitHub(): Promise<GitHubWorld> {
  const redirectUri = redirectTo('github');
  const client = { clientId: 'github-client', clientSecret, redirectUri };
  let address = '';
  const github = await createFakeGitHub({ webUrl: () => address, client, silenceMs: 30_000 });
  const server = await serveHandler((request) => github.fetch(request));
  address = `http://${server.host}`;
  const connect: GitHubWorld['connect'] = (options = {}) =>
    createGitHubIdentity({
      clientId: client.clientId,
      clientSecret,
      vault,
      webUrl: address,
      apiUrl: address,
      ...options,
    });
  return {
    provider: 'github',
    redirectUri,
    identity: connect(),
    github,
    connect,
    allow: async (url, { account, email, name = null }) =>
      github.allow(url, {
        id: accountNumber(account),
        login: account,
        name,
        emails: [{ email, primary: true, verified: true }],
      }),
    deny: async (url) => github.deny(url),
    stop: async () => {
      await server[Symbol.asyncDispose]();
    },
  };
}

export async function startSandbox(): Promise<IdentityWorld> {
  const identity = createSandboxIdentity({ baseUrl });
  const press = async (url: string, form: Record<string, string>): Promise<string> => {
    const body = new URLSearchParams({ ...Object.fromEntries(new URL(url).searchParams), ...form });
    return location(await identity.pages.fetch(new Request(`${baseUrl}/sandbox/identity`, { method: 'POST', body })));
  };
  return {
    provider: 'github',
    redirectUri: redirectTo('github'),
    identity,
    allow: (url, { email, name = '' }) => press(url, { action: 'continue', email, name }),
    deny: (url) => press(url, { action: 'cancel' }),
    stop: async () => {},
  };
}
